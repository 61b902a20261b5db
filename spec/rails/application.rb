# A Rails application with a session, asked in process: one request per line of standard input (JSON), one answer
# per line of standard output. It is real Rails (Debian's ruby-railties and ruby-actionpack); nothing of its session
# is written by hand. Settings come from the environment:
#
#   SECRET_KEY_BASE  the secret
#   DIGEST           SHA1 or SHA256: what the key generator derives with
#   METADATA         true or false: use_cookies_with_metadata
#   SERIALIZER       json, hybrid or marshal: cookies_serializer
#   EXPIRE_AFTER     seconds; without it the cookie is one of the browser's session
#   STORE            cookie (default), redis_session_store or cache
#   REDIS_URL        for the latter two
#   KEY_PREFIX       for redis_session_store; PLAIN_IDS=true for its versions before 0.11.6
#   NAMESPACE        for cache
#
# A request: {"method": "GET", "path": "/fields", "cookie": "name=value"}; an answer:
# {"status": 200, "set_cookie": "name=value; path=/; ..." or null, "body": "..."}.

require "bundler/setup" if ENV["BUNDLE_GEMFILE"]
require "json"
require "logger"
require "rails"
require "action_controller/railtie"

SESSION_KEY = "_app_session"

class Application < Rails::Application
  # The newest defaults that this version has.
  config.load_defaults Rails::VERSION::STRING.to_f
  config.eager_load = false
  config.cache_classes = true
  config.consider_all_requests_local = true
  config.action_dispatch.show_exceptions = false
  config.logger = Logger.new(IO::NULL)
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
  config.action_dispatch.cookies_serializer = ENV.fetch("SERIALIZER", "json").to_sym
  config.action_dispatch.use_cookies_with_metadata = ENV.fetch("METADATA", "true") == "true"
  config.hosts.clear if config.respond_to?(:hosts)

  options = { key: SESSION_KEY }
  options[:expire_after] = Integer(ENV["EXPIRE_AFTER"]) if ENV["EXPIRE_AFTER"]
  case ENV.fetch("STORE", "cookie")
  when "cookie"
    config.session_store :cookie_store, **options
  when "redis_session_store"
    require_relative "redis_session_store"
    config.session_store RedisSessionStoreFormat, **options
  when "cache"
    require_relative "json_coder"
    config.session_store ActionDispatch::Session::CacheStore, cache: JsonCoder.cache_store, **options
  end

  # Rails 7.0 and later derive with SHA-256 by `ActiveSupport::KeyGenerator.hash_digest_class`. Older ones have no
  # such setting: then this derives the same by hand, and only the derivation of the key is not Rails' own.
  if ENV["DIGEST"] == "SHA256" && !ActiveSupport::KeyGenerator.respond_to?(:hash_digest_class=)
    def key_generator
      @key_generator ||= ActiveSupport::CachingKeyGenerator.new(Sha256KeyGenerator.new(secret_key_base))
    end
  elsif ActiveSupport::KeyGenerator.respond_to?(:hash_digest_class=)
    ActiveSupport::KeyGenerator.hash_digest_class = OpenSSL::Digest.const_get(ENV.fetch("DIGEST", "SHA1"))
  end
end

class Sha256KeyGenerator
  def initialize(secret)
    @secret = secret
  end

  def generate_key(salt, key_size = 64)
    OpenSSL::PKCS5.pbkdf2_hmac(@secret, salt, 1000, key_size, OpenSSL::Digest.new("SHA256"))
  end
end

class SessionsController < ActionController::Base
  protect_from_forgery with: :exception

  # What the session holds, as JSON.
  def fields
    render json: session.to_hash
  end

  # Sets fields: the parameter `fields` is a JSON object.
  def write
    JSON.parse(params[:fields]).each { |name, value| session[name] = value }
    head :no_content
  end

  def remove
    session.delete(params[:name])
    head :no_content
  end

  # A login as Rails applications write it: nothing of the visitor's earlier session is kept.
  def login
    reset_session
    session[:user_id] = Integer(params[:user_id])
    head :no_content
  end

  def logout
    reset_session
    head :no_content
  end

  # A token for a form; the session keeps what it is compared with.
  def token
    render plain: form_authenticity_token
  end

  # Reached only with a token that fits the session.
  def protected
    render plain: "accepted"
  end

  def notice
    flash[:notice] = params[:text]
    head :no_content
  end
end

Application.initialize!

Rails.application.routes.draw do
  get "/fields", to: "sessions#fields"
  get "/write", to: "sessions#write"
  get "/remove", to: "sessions#remove"
  get "/login", to: "sessions#login"
  get "/logout", to: "sessions#logout"
  get "/token", to: "sessions#token"
  get "/notice", to: "sessions#notice"
  post "/protected", to: "sessions#protected"
end

# One request through the whole middleware stack.
def ask(request)
  environment = { method: request.fetch("method", "GET"), "HTTP_HOST" => "app.example" }
  environment["HTTP_COOKIE"] = request["cookie"] if request["cookie"]
  environment[:params] = request["params"] if request["params"]
  environment = Rack::MockRequest.env_for(request.fetch("path"), environment)
  status, headers, body = Rails.application.call(environment)
  text = +""
  body.each { |part| text << part }
  body.close if body.respond_to?(:close)
  cookie = headers.find { |name, _| name.downcase == "set-cookie" }&.last
  cookie = Array(cookie).flat_map { |it| it.split("\n") }.find { |it| it.start_with?("#{SESSION_KEY}=") }
  { status: status, set_cookie: cookie, body: text }
rescue ActionController::InvalidAuthenticityToken
  { status: 422, set_cookie: nil, body: "" }
end

if $PROGRAM_NAME == __FILE__
  $stdout.sync = true
  puts JSON.generate({ rails: Rails::VERSION::STRING })
  $stdin.each_line { |line| puts JSON.generate(ask(JSON.parse(line))) }
end
