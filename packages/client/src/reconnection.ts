/**
 * Comes back sooner than the stock client after a connection was lost.
 *
 * The stock monitor waits six to twelve seconds before it tries again, while most restarts are over in one. It stays
 * and does what it does; here attempts are added in between. Their pauses are drawn at random from a window that
 * begins near zero and doubles (full jitter), so that the pages that one restart has cut off come back spread over it.
 */
import { type Connection, eachSocket, readMessage } from './connection'

/** When attempts are made. All times are milliseconds. */
export interface Pace {
  /** No pause is shorter. */
  readonly pauseMin: number
  /** The longest pause before the first attempt; doubled for each one after it. */
  readonly firstPauseMax: number
  /** No pause is longer. */
  readonly pauseMax: number
  /** The longest pause once the network is back, or the page in view. */
  readonly returnPauseMax: number
  /** How long a connection must have held for the next loss to begin with the first pause again. */
  readonly steadyAfter: number
  /** How long after the loss attempts go on; then the stock monitor is alone. */
  readonly lasts: number
  /** Whether a page out of view tries as well. */
  readonly whileHidden: boolean
}

/** For pages that people use: many of them lose their connection in the same moment. */
export const PRODUCTION: Pace = {
  pauseMin: 250,
  firstPauseMax: 2000,
  pauseMax: 30_000,
  returnPauseMax: 1000,
  steadyAfter: 10_000,
  lasts: Infinity,
  whileHidden: false
}

/** For the few pages of a developer, who waits for a build. */
export const DEVELOPMENT: Pace = {
  pauseMin: 100,
  firstPauseMax: 100,
  pauseMax: 2000,
  returnPauseMax: 100,
  steadyAfter: 0,
  lasts: 5 * 60_000,
  whileHidden: true
}

/** The pause before an attempt, in milliseconds; the first attempt after a loss is number 0. */
export function pauseBefore (attempt: number, pace: Pace, random: () => number = Math.random): number {
  const longest = Math.min(pace.firstPauseMax * 2 ** attempt, pace.pauseMax)
  return pace.pauseMin + (longest - pace.pauseMin) * random()
}

/**
 * Adds attempts to those of the stock monitor, for as long as the page lives.
 *
 * There are none for a page that was never let in, and none after the page or the server ended the connection for good.
 */
export function reconnect (connection: Connection, pace: Pace): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Attempts since the connection last held. */
  let attempts = 0
  let welcomedAt: number | undefined
  let lostAt: number | undefined

  const isAway = (): boolean => navigator.onLine === false || (document.visibilityState === 'hidden' && !pace.whileHidden)
  const attempt = (): void => {
    // The monitor is stopped where the connection ended for good. Away, the return of network or page begins again.
    if (lostAt === undefined || !connection.monitor.isRunning() || isAway() || Date.now() - lostAt > pace.lasts) return
    // One that is under way, the monitor's own for instance, says by itself how it went.
    if (connection.isActive()) return
    attempts++
    // Else subscriptions would be told that this is their first connection.
    connection.monitor.reconnectAttempts ||= 1
    connection.open()
  }
  const attemptAfter = (pause: number): void => {
    clearTimeout(timer)
    timer = setTimeout(attempt, pause)
  }
  const tryAtOnce = (): void => {
    if (lostAt !== undefined && !isAway()) attemptAfter(pace.returnPauseMax * Math.random())
  }
  addEventListener('online', tryAtOnce)
  document.addEventListener('visibilitychange', tryAtOnce)

  let wasLetIn = connection.webSocket?.readyState === WebSocket.OPEN
  eachSocket(connection, socket => {
    socket.addEventListener('message', event => {
      const { type, reconnect } = readMessage(event.data)
      if (type === 'welcome') {
        clearTimeout(timer)
        wasLetIn = true
        welcomedAt = Date.now()
        lostAt = undefined
      } else if (type === 'disconnect' && reconnect !== false) wasLetIn = true
    })
    socket.addEventListener('close', () => {
      // Another socket may have taken its place.
      if (socket !== connection.webSocket || !wasLetIn || !connection.monitor.isRunning()) return
      const now = Date.now()
      // A server that lets a page in and soon closes again is not asked ever more quickly.
      if (welcomedAt !== undefined && now - welcomedAt >= pace.steadyAfter) attempts = 0
      welcomedAt = undefined
      lostAt ??= now
      attemptAfter(pauseBefore(attempts, pace))
    })
  })
}
