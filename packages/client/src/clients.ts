/**
 * The types of the stock clients, which come without any: what the packages export, as far as a page uses it.
 *
 * They stand here and not in ambient declarations, so that they reach whoever imports this package.
 */
import type { Application, Controller } from '@hotwired/stimulus'

/** What can be sent as JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The callbacks of a subscription, and whatever else its mixin brings along. */
export interface SubscriptionCallbacks {
  /** The server confirmed the subscription; `reconnected` after an interruption. */
  connected?: (info?: { reconnected: boolean }) => void
  /** The connection was lost, and whether it will be tried again. */
  disconnected?: (info?: { willAttemptReconnect: boolean }) => void
  /** The server refused the subscription. */
  rejected?: () => void
  /** A message of the channel. */
  received?: (message: any) => void
  initialized?: () => void
}

/** One channel that the page listens to. */
export interface Subscription {
  readonly consumer: Consumer
  /** The channel and its parameters, as JSON. */
  readonly identifier: string
  /** Calls an action of the channel; says whether the connection was open. */
  perform: (action: string, data?: { [key: string]: Json }) => boolean
  /** Sends a message to the channel's `receive`; says whether the connection was open. */
  send: (data: { [key: string]: Json }) => boolean
  unsubscribe: () => Subscription
}

/** The channels of one connection. */
export interface Subscriptions {
  /** Subscribes to a channel, named or with its parameters. */
  create: <Mixin extends object = {}>(
    channel: string | ({ channel: string } & { [key: string]: Json }),
    mixin?: Mixin & SubscriptionCallbacks & ThisType<Subscription & Mixin>
  ) => Subscription & Mixin
  /** Those with this identifier. */
  findAll: (identifier: string) => Subscription[]
  readonly subscriptions: Subscription[]
}

/** An Action Cable consumer: one WebSocket, opened with the first subscription. */
export interface Consumer {
  /** The address of the cable, `ws:` or `wss:`. */
  readonly url: string
  readonly subscriptions: Subscriptions
  send: (data: object) => boolean
  /** Opens the connection; `false` or nothing when there is one. */
  connect: () => unknown
  /** Closes the connection, which is not tried again. */
  disconnect: () => unknown
  ensureActiveConnection: () => unknown
}

/** What `initialize` of StimulusReflex takes. */
export interface StimulusReflexOptions {
  /** The controller of elements that have `data-reflex` and no controller of their own. */
  controller?: typeof Controller
  consumer?: Consumer
  /** Logs every reflex to the console. */
  debug?: boolean
  /** Parameters of the subscription. */
  params?: { [key: string]: Json }
  /** Performs a reply only in the tab that asked for it. */
  isolate?: boolean
  /** Warns about what the next version changes. */
  deprecate?: boolean
}

/** The StimulusReflex client. */
export interface StimulusReflexClient {
  readonly version: string
  /** Whether every reflex is logged to the console. */
  debug: boolean
  deprecate: boolean
  initialize: (application: Application, options?: StimulusReflexOptions) => void
  /** Gives a controller `stimulate` and the callbacks of reflexes. */
  register: (controller: Controller, options?: object) => void
  useReflex: (controller: Controller, options?: object) => void
  scanForReflexes: () => void
  scanForReflexesOnElement: (element: Element, controller?: Controller) => void
  /** The reflexes of this page, by id. */
  readonly reflexes: { [id: string]: unknown }
}

/** One CableReady operation, its keys camelized. */
export interface CableReadyOperation {
  /** Its name, such as `innerHtml`. */
  operation: string
  selector?: string
  [key: string]: unknown
}

/** The CableReady client. */
export interface CableReadyClient {
  readonly version: string
  readonly consumer: Consumer | undefined
  /** The operations that there are, by name. */
  readonly operations: { readonly [name: string]: (operation: any) => void }
  initialize: (options: { consumer: Consumer, onMissingElement?: OnMissingElement, debug?: boolean }) => void
  /** Performs operations now, in order. */
  perform: (operations: CableReadyOperation[], options?: { onMissingElement?: OnMissingElement }) => void
  performAsync: (operations: CableReadyOperation[], options?: { onMissingElement?: OnMissingElement }) => Promise<void>
  addOperation: (name: string, operation: (operation: any) => void) => void
  addOperations: (operations: { [name: string]: (operation: any) => void }) => void
  /** Functions asked before an element is morphed: all must say `true`. */
  readonly shouldMorphCallbacks: Array<(options: object, from: Element, to: Element) => boolean>
  /** Functions told after an element was morphed. */
  readonly didMorphCallbacks: Array<(options: object, element: Element) => void>
}

/** What happens to an operation whose element is not in the page. */
export type OnMissingElement = 'warn' | 'ignore' | 'event' | 'exception'

/** What a page uses of Turbo. */
export interface TurboClient {
  /** Goes to another page. */
  visit: (location: string | URL, options?: { action?: 'advance' | 'replace' | 'restore', frame?: string }) => unknown
  /** Performs the `<turbo-stream>` elements of a text. */
  renderStreamMessage: (message: string | object) => void
  readonly cache: { clear: () => void }
  readonly session: { drive: boolean, [key: string]: unknown }
  readonly config: { [key: string]: any }
  start: () => void
  fetch: (url: string | URL, options?: RequestInit) => Promise<Response>
  setConfirmMethod: (confirm: (message: string, element: HTMLFormElement, submitter?: HTMLElement | null) => boolean | Promise<boolean>) => void
  setFormMode: (mode: 'on' | 'off' | 'optin') => void
  /** Milliseconds until the progress bar appears. */
  setProgressBarDelay: (delay: number) => void
}
