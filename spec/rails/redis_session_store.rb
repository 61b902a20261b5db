# Sessions exactly as the gem redis-session-store 0.11.6 keeps them with its JSON serializer; with PLAIN_IDS=true as
# its versions before. The gem is not in Debian; this is written after what it does, and only the format is its own:
# one string per session, `key_prefix` and the id, JSON of the whole session, SETEX with the expiry.

require "redis"
require "json"

class RedisSessionStoreFormat < ActionDispatch::Session::AbstractSecureStore
  def initialize(app, options = {})
    super
    @redis = Redis.new(url: ENV.fetch("REDIS_URL"))
    @prefix = ENV.fetch("KEY_PREFIX")
    @plain = ENV["PLAIN_IDS"] == "true"
  end

  private

  # By its private id; what is there by the public one alone is read as well.
  def find_session(_request, id)
    text = id && (stored(id, :private_id) || stored(id, :public_id))
    text ? [id, JSON.parse(text)] : [generate_sid, {}]
  end

  def write_session(_request, id, session, options)
    name = @prefix + (@plain ? id.public_id : id.private_id)
    life = options[:expire_after]
    life ? @redis.setex(name, life, JSON.generate(session)) : @redis.set(name, JSON.generate(session))
    id
  end

  def delete_session(_request, id, options)
    @redis.del(@prefix + id.public_id, @prefix + id.private_id)
    generate_sid unless options[:drop]
  end

  def session_exists?(request)
    id = current_session_id(request)
    !!(id && !id.empty? && (stored(id, :private_id) || stored(id, :public_id)))
  end

  def stored(id, kind)
    return if @plain && kind == :private_id

    @redis.get(@prefix + id.public_send(kind))
  end
end
