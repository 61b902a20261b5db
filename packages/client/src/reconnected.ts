/**
 * The event `reconnected`, for pages that show what is broadcast: what was sent while the connection was lost has not
 * arrived. Each element with `data-reflex="reconnected->Chat#catch_up"` gets it once the connection is back, and its
 * reflex brings the page up to date.
 *
 * Subscriptions are asked for before reflexes are called, and the server takes what it is sent in order: what is
 * broadcast from then on arrives by itself.
 */

const EVENT = 'reconnected'

/** Starts listening, for as long as the page lives. */
export function announceReconnects (): void {
  let lost = false
  document.addEventListener('stimulus-reflex:disconnected', () => { lost = true })
  document.addEventListener('stimulus-reflex:connected', () => {
    if (!lost) return
    lost = false
    for (const element of document.querySelectorAll(`[data-reflex*="${EVENT}->"]`)) {
      // It does not bubble: an element around may ask for it, too, and gets its own.
      element.dispatchEvent(new CustomEvent(EVENT))
    }
  })
}
