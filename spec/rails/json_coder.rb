# A cache store whose entries are JSON, which an application has to ask for: its own default is Marshal.
#
# Rails 7.1 and later: `serializer:`, with a header before the JSON. Rails 6.1 and 7.0: `coder:`, which gets the whole
# entry; this one writes its value alone and leaves the expiry to Redis. Rails 6.0 and older have neither.

require "active_support/cache"
require "active_support/cache/redis_cache_store"

module JsonCoder
  def self.dump(entry)
    ActiveSupport::JSON.encode(entry.value)
  end

  def self.load(text)
    ActiveSupport::Cache::Entry.new(ActiveSupport::JSON.decode(text))
  end

  def self.cache_store
    options = { url: ENV.fetch("REDIS_URL") }
    options[:namespace] = ENV["NAMESPACE"] if ENV["NAMESPACE"]
    case ENV.fetch("SERIALIZER", "json")
    when "json"
      if Rails::VERSION::STRING.to_f >= 7.1
        options[:serializer] = ActiveSupport::JSON
      else
        options[:coder] = self
      end
    end
    ActiveSupport::Cache::RedisCacheStore.new(**options)
  end
end
