/** What of the stock connection is used here: it keeps its parts to itself, and has no events of its own. */
import type { Consumer } from './clients'

/** The stock connection of a consumer. */
export interface Connection {
  webSocket?: WebSocket
  monitor: { isRunning: () => unknown, stop: () => void, reconnectAttempts: number }
  open: () => boolean
  isActive: () => boolean
  installEventHandlers: () => void
}

/** The consumer's connection; nothing when the consumer is not the stock one. */
export function connectionOf (consumer: Consumer): Connection | undefined {
  const { connection } = consumer as Consumer & { connection?: Partial<Connection> }
  return typeof connection?.installEventHandlers === 'function' && connection.monitor !== undefined ? connection as Connection : undefined
}

/** Shows every socket of the connection, the one that there is and those to come, after the stock handlers are set. */
export function eachSocket (connection: Connection, follow: (socket: WebSocket) => void): void {
  const install = connection.installEventHandlers
  connection.installEventHandlers = function (this: Connection) {
    install.call(this)
    if (this.webSocket !== undefined) follow(this.webSocket)
  }
  if (connection.webSocket !== undefined) follow(connection.webSocket)
}

/** What of a message of the cable is about the connection itself. */
export interface AboutConnection { type?: string, reason?: string, reconnect?: boolean }

/** Reads a message as far as it is about the connection. */
export function readMessage (data: unknown): AboutConnection {
  try {
    return JSON.parse(String(data)) ?? {}
  } catch {
    return {}
  }
}
