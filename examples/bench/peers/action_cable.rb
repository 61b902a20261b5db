# frozen_string_literal: true

# Action Cable as it comes, with the channel that the load tool speaks to: `ruby action_cable.rb PORT`.
# Debian's packages for it: ruby-railties, ruby-actioncable, puma.

require "rails"
require "action_cable/engine"
require "puma"
require "puma/configuration"
require "puma/launcher"

class BenchApplication < Rails::Application
  config.load_defaults 6.1
  config.eager_load = true
  config.secret_key_base = "not-a-secret-of-anybody" * 4
  config.logger = Logger.new(IO::NULL)
  config.action_cable.disable_request_forgery_protection = true
end

module ApplicationCable
  class Connection < ActionCable::Connection::Base
  end
end

class BenchChannel < ActionCable::Channel::Base
  def subscribed
    stream_from room(params)
  end

  def echo(data)
    transmit data
  end

  def broadcast(data)
    ActionCable.server.broadcast room(data.key?("room") ? data : params), data
  end

  private

  def room(from)
    from["room"] ? "bench_#{from["room"]}" : "bench"
  end
end

# Messages stay in the process: no Redis, as in Sinew's part of the comparison.
ActionCable.server.config.cable = { "adapter" => "async" }
ActionCable.server.config.connection_class = -> { ApplicationCable::Connection }
ActionCable.server.config.logger = Logger.new(IO::NULL)
BenchApplication.initialize!

configuration = Puma::Configuration.new do |it|
  it.bind "tcp://127.0.0.1:#{ARGV.fetch(0)}"
  it.threads 5, 5
  # By itself, as an application serves its cable from a host of its own.
  it.app ActionCable.server
end
Puma::Launcher.new(configuration, events: Puma::Events.strings).run
