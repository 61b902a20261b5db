/**
 * The versions of page and server: the page says its own when it subscribes, and hears when they do not go together.
 *
 * `spec/handshake/messages.json` holds what a server says. Keys and words that are not known here are passed over:
 * the server may be of a later version than this script.
 */
import type { Consumer, Json } from './clients'

/** The package's version; the embedded script's ends with `+embedded`. Put in when the script is built. */
declare const SINEW_VERSION: string

/** This client's version. */
export const VERSION: string = SINEW_VERSION

/** Whether the script comes from the server itself, so that loading the page again brings another one. */
export const IS_EMBEDDED: boolean = /\+(.*\.)?embedded(\.|$)/.test(VERSION)

/** The parameters of the reflexes' subscription. */
export const PARAMS: { [key: string]: Json } = { sinew: VERSION }

/** The reflexes' subscription, as it is named on the wire. */
const IDENTIFIER = JSON.stringify({ channel: 'StimulusReflex::Channel', ...PARAMS })

/** What a server says about itself. */
export interface AboutServer {
  /** The server's version. */
  readonly server: string
  /** Whether this client goes with it. */
  readonly compatible: boolean
  /** When it does not, what has to be replaced: `page`, `package`, `crate`, `server`, or a word of a later version. */
  readonly update?: string
  /** When it does not, the sentence that says so. */
  readonly text?: string
  /** In development, another text for every process of the server. */
  readonly boot?: string
}

/**
 * Listens to what the server says on the reflexes' subscription.
 *
 * The stock client passes over messages that are not CableReady's; these are taken out before.
 */
export function hearServer (consumer: Consumer, hear: (about: AboutServer) => void): void {
  interceptMessages(consumer, message => {
    const about = aboutServer(message)
    if (about === undefined) return message
    hear(about)
    return undefined
  })
}

/**
 * Looks at every message of the reflexes' subscription before the stock client does, which gets what is returned; of
 * `undefined` it hears nothing. The subscription is made with the page's first controller.
 */
export function interceptMessages (consumer: Consumer, intercept: (message: unknown) => unknown): void {
  const take = (): void => {
    const [subscription] = consumer.subscriptions.findAll(IDENTIFIER) as Array<{ received?: (message: unknown) => void }>
    if (subscription?.received === undefined) return
    document.removeEventListener('stimulus-reflex:controller-registered', take)
    const received = subscription.received
    subscription.received = message => {
      const passed = intercept(message)
      if (passed !== undefined) received.call(subscription, passed)
    }
  }
  document.addEventListener('stimulus-reflex:controller-registered', take)
}

function aboutServer (message: unknown): AboutServer | undefined {
  const about = (message as { sinew?: Partial<AboutServer> } | null)?.sinew
  return typeof about?.server === 'string' && typeof about.compatible === 'boolean' ? about as AboutServer : undefined
}
