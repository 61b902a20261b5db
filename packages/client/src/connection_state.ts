/**
 * Says on `<html>` how the connection is: `data-sinew-connection="open"`.
 *
 * The classes that the stock client sets on `<body>` are about the reflexes' subscription, and a page without a reflex
 * has none: there they say `disconnected` whatever streams and channels do. This is about the connection itself.
 */
import { type Connection, eachSocket, readMessage } from './connection'

const ATTRIBUTE = 'data-sinew-connection'

/**
 * `connecting` until the page is let in first, `open`, `lost` while it is tried again, and `closed` when the page or
 * the server ended it for good. A page that has asked for no connection has no state.
 */
export type ConnectionState = 'connecting' | 'open' | 'lost' | 'closed'

/** Keeps the attribute true, for as long as the page lives; gives back a morph callback that has a morph leave it. */
export function showConnection (connection: Connection): (options: object, from: Element, to: Element) => boolean {
  const show = (state: ConnectionState): void => document.documentElement.setAttribute(ATTRIBUTE, state)
  eachSocket(connection, socket => {
    // A further attempt is part of being lost.
    if (socket.readyState === WebSocket.OPEN) show('open')
    else if (document.documentElement.getAttribute(ATTRIBUTE) !== 'lost') show('connecting')
    socket.addEventListener('message', event => {
      if (socket === connection.webSocket && readMessage(event.data).type === 'welcome') show('open')
    })
    socket.addEventListener('close', () => {
      if (socket === connection.webSocket) show(connection.monitor.isRunning() ? 'lost' : 'closed')
    })
  })
  const { monitor } = connection
  const { stop } = monitor
  monitor.stop = function () {
    stop.call(this)
    // Between two attempts there is no socket whose end would say so.
    if (connection.webSocket?.readyState === WebSocket.CLOSED) show('closed')
  }
  return (_options, from, to) => {
    const state = document.documentElement.getAttribute(ATTRIBUTE)
    if (from === document.documentElement && state !== null) to.setAttribute?.(ATTRIBUTE, state)
    return true
  }
}
