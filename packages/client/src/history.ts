/**
 * Tells Turbo about addresses that the server pushed or replaced.
 *
 * The stock `pushState` and `replaceState` operations write to the browser's history past Turbo. Back then changes the
 * address and leaves the page: Turbo does not know the entry. Here the entry becomes one of Turbo's, so that Back and
 * Forward show what their address stands for.
 */

/** What of Turbo knows where the page is. */
export interface TurboHistory {
  currentIndex?: number
  replace: (location: URL) => void
}

/** What an operation's events say about it. */
interface Performed { cancel?: boolean, delay?: number }

interface Parts {
  navigator: { history: TurboHistory }
  session: { drive: boolean, view?: { lastRenderedLocation?: URL } }
}

/** Starts listening, for as long as the page lives. */
export function keepHistory (turbo: unknown): void {
  const { navigator, session } = turbo as Parts
  const adopt = (pushed: boolean): void => {
    // Who switched Turbo off handles Back alone.
    if (!session.drive) return
    const { history } = navigator
    const own: unknown = window.history.state
    if (pushed && typeof history.currentIndex === 'number') history.currentIndex += 1
    const location = new URL(window.location.href)
    history.replace(location)
    // The state that the operation brought stays beside Turbo's.
    window.history.replaceState({ ...(own as object | null), ...window.history.state }, '')
    // What is shown now belongs to this address: else it would be remembered as the page before, and Back show it.
    if (session.view !== undefined) session.view.lastRenderedLocation = location
  }
  const listen = (event: string, pushed: boolean): void => window.addEventListener(event, ({ detail }: CustomEventInit<Performed>) => {
    if (detail?.cancel === true) return
    // The event comes at once, the entry when its delay is over: timers of one delay run in order.
    if (detail?.delay) setTimeout(adopt, detail.delay, pushed)
    else adopt(pushed)
  })
  listen('cable-ready:after-push-state', true)
  listen('cable-ready:after-replace-state', false)
}
