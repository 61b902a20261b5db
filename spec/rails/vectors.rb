# Writes vectors.json: cookies that real Rails has made (see application.rb), for tests that need no Ruby.
#
#   ruby spec/rails/vectors.rb > spec/rails/vectors.json

require "json"
require "open3"

SECRET = "not-a-secret-" * 8
CENTURY = 100 * 365 * 24 * 60 * 60
FIELDS = {
  "user_id" => 42,
  "total" => 1.10,
  "large" => 12_345_678_901_234_567_890,
  "name" => "Zoë <b> & \u2028 \u{1F980}",
  "list" => [1, nil, { "a" => {} }]
}.freeze

def ask(settings, requests)
  environment = { "SECRET_KEY_BASE" => SECRET }.merge(settings)
  input = requests.map { |request| JSON.generate(request) }.join("\n")
  output, status = Open3.capture2(environment, "ruby", File.join(__dir__, "application.rb"), stdin_data: input)
  raise "the application failed" unless status.success?

  output.lines.map { |line| JSON.parse(line) }
end

def cookie_of(answer)
  answer.fetch("set_cookie").split(";").first
end

vectors = %w[SHA1 SHA256].product(%w[true false], [nil, CENTURY.to_s], %w[json marshal]).map do |digest, metadata, life, serializer|
  settings = { "DIGEST" => digest, "METADATA" => metadata, "SERIALIZER" => serializer }
  settings["EXPIRE_AFTER"] = life if life
  write = { path: "/write", params: { fields: JSON.generate(FIELDS) } }
  _, written = ask(settings, [write])
  # A second request adds the token that Rails keeps of itself.
  rails, token = ask(settings, [{ path: "/token", cookie: cookie_of(written) }])
  cookie = cookie_of(token)
  _, fields = ask(settings, [{ path: "/fields", cookie: cookie }])
  name, value = cookie.split("=", 2)
  {
    rails: rails.fetch("rails"), digest: digest, metadata: metadata == "true", expires: !life.nil?,
    serializer: serializer, name: name, value: value, fields: fields.fetch("body")
  }
end

puts JSON.pretty_generate(secret_key_base: SECRET, cookies: vectors)
