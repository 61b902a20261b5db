/**
 * The browser side of Sinew: the stock clients, wired once and in one place.
 *
 * Loading this script starts Stimulus and Turbo, opens one Action Cable consumer and gives it to
 * StimulusReflex and CableReady alike, so that a page has one WebSocket whatever it uses.
 * Where the cable is, is read from `<meta name="action-cable-url" content="…">`; without one it is
 * `/cable` on the page's own host.
 *
 * Nothing here is evaluated from text and nothing is written into the page as inline script.
 *
 * @example Register a Stimulus controller of your own, in a script loaded after this one:
 * ```js
 * const { application, Controller } = window.Sinew
 * application.register("chart", class extends Controller {})
 * ```
 * @example Follow a channel of your own on the connection that is already open:
 * ```js
 * Sinew.consumer.subscriptions.create("RoomChannel", { received: console.log })
 * ```
 */
import './before'
import { start, type Started } from './start'

/** What a page may reach: the parts this script started, not copies of them. */
export const Sinew: Started = start()

declare global {
  interface Window {
    Sinew: Started
  }
}

window.Sinew = Sinew
