/**
 * The parts of the browser side, for whoever bundles a page's scripts: nothing of ours starts before `start`.
 *
 * @example
 * ```js
 * import { start, Controller } from "sinew-client"
 *
 * const { application, consumer } = start()
 * application.register("chart", class extends Controller {})
 * consumer.subscriptions.create("RoomChannel", { received: console.log })
 * ```
 */
import { Application, Controller } from '@hotwired/stimulus'
import * as turbo from '@hotwired/turbo'
import { createConsumer as untypedCreateConsumer } from '@rails/actioncable'
import cableReady from 'cable_ready'
import stimulusReflex from 'stimulus_reflex'
import type { CableReadyClient, Consumer, StimulusReflexClient, TurboClient } from './clients'
import { connectionOf } from './connection'
import { showConnection } from './connection_state'
import { forgetAttributes, putCaretBehind } from './focused'
import { keepHistory } from './history'
import { dropForLeftPages } from './left_pages'
import { leaveModifiedClicks } from './modified_clicks'
import { keepNonce } from './nonce'
import { fetchWhenClicked } from './prefetch'
import { announceReconnects } from './reconnected'
import { PRODUCTION, reconnect } from './reconnection'
import { keepRefusedForms } from './refused_forms'
import { livingReflexes, renew } from './renewal'
import { carrySession } from './session'
import { type AboutServer, hearServer, IS_EMBEDDED, PARAMS, VERSION } from './version'
import { keepWired } from './wiring'

export { Application, Controller } from '@hotwired/stimulus'
export type * from './clients'
export type { ConnectionState } from './connection_state'
export type { AboutServer } from './version'

export const StimulusReflex: StimulusReflexClient = stimulusReflex
export const CableReady: CableReadyClient = cableReady
/** Turbo starts when it is loaded, as it does everywhere. */
export const Turbo: TurboClient = turbo

/**
 * Makes an Action Cable consumer; its connection is opened by the first subscription.
 *
 * Without an address it is that of `<meta name="action-cable-url">`, else `/cable` on the page's host.
 */
export const createConsumer: (url?: string | (() => string)) => Consumer = untypedCreateConsumer

/** What `start` may be given. */
export interface StartOptions {
  /** A Stimulus application that runs already; without it one is started. */
  application?: Application
  /** The connection to use; without it one is made. */
  consumer?: Consumer
  /** Where the cable is, when no `consumer` is given; without it the page's meta tag says so. */
  cableUrl?: string
  /** Logs every reflex and operation to the console. */
  debug?: boolean
}

/** What was started. */
export interface Started {
  readonly application: Application
  readonly consumer: Consumer
  /** What Stimulus controllers extend, for pages that load the embedded script and bundle nothing. */
  readonly Controller: typeof Controller
  readonly StimulusReflex: StimulusReflexClient
  readonly CableReady: CableReadyClient
  readonly Turbo: TurboClient
  /** This client's version. */
  readonly version: string
  /** What the server has said about itself; in production it speaks only to a client that does not go with it. */
  readonly server: AboutServer | undefined
}

let started: Started | undefined

/**
 * Starts Stimulus, and gives StimulusReflex and CableReady one connection.
 *
 * A page has one of each: called again without options, it gives back what runs.
 *
 * @throws {TypeError} when both `consumer` and `cableUrl` are given.
 * @throws {Error} when it is called again with options, which would come too late.
 */
export function start (options: StartOptions = {}): Started {
  if (started !== undefined) {
    if (Object.values(options).every(option => option === undefined)) return started
    throw new Error('Sinew is started already: give the options to the first start()')
  }
  const { cableUrl, debug = false } = options
  if (options.consumer !== undefined && cableUrl !== undefined) {
    throw new TypeError('start() takes a consumer or a cableUrl, not both: the consumer knows its address')
  }
  keepNonce(turbo)
  const application = options.application ?? Application.start()
  const consumer = options.consumer ?? createConsumer(cableUrl)
  leaveModifiedClicks()
  // Tabs are isolated: a reply that another tab of the same visitor asked for is not performed here.
  // That is the default of the next StimulusReflex, so its notice about the change has nothing to say.
  StimulusReflex.initialize(application, { consumer, debug, isolate: true, deprecate: false, params: PARAMS })
  CableReady.initialize({ consumer, debug })
  // Before the others: they compare, and an element that only lost its wires is equal.
  CableReady.shouldMorphCallbacks.unshift(keepWired, forgetAttributes)
  fetchWhenClicked()
  putCaretBehind()
  keepHistory(Turbo)
  keepRefusedForms()
  dropForLeftPages(consumer, StimulusReflex, Turbo)
  announceReconnects()
  const connection = connectionOf(consumer)
  if (connection !== undefined) {
    CableReady.shouldMorphCallbacks.unshift(showConnection(connection))
    reconnect(connection, PRODUCTION)
  }
  const reflexes = livingReflexes(StimulusReflex)
  let server: AboutServer | undefined
  hearServer(consumer, about => {
    // A server that is tried again says the same again, and has been heard.
    const isNews = about.server !== server?.server
    server = about
    answer(about, isNews, reflexes)
  })
  carrySession(consumer, CableReady)
  started = { application, consumer, Controller, StimulusReflex, CableReady, Turbo, version: VERSION, get server () { return server } }
  return started
}

/** Passes on what the server said; a mismatch is said aloud, and an old page loads itself again. */
function answer (about: AboutServer, isNews: boolean, reflexes: ReturnType<typeof livingReflexes>): void {
  const detail = { ...about, client: VERSION, embedded: IS_EMBEDDED }
  document.dispatchEvent(new CustomEvent('sinew:server', { detail }))
  if (about.compatible || !isNews) return
  const goesOn = document.dispatchEvent(new CustomEvent('sinew:version-mismatch', { cancelable: true, detail }))
  if (!goesOn) return
  console.warn(`Sinew: ${about.text ?? `the server's version ${about.server} does not go with this page's ${VERSION}.`}`)
  if (IS_EMBEDDED && about.update === 'page') renew(VERSION, about.server, reflexes)
}
