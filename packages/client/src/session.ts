/**
 * Sessions that live in their cookie: takes over into it what a reflex has written.
 *
 * No script reads the session: the cookie is kept from scripts, and the ticket that the server sends ahead of a reply is
 * sealed. It is sent to the host of the page, whatever host the cable has, and the answer sets the cookie.
 *
 * The server also names this page's connection to it. Requests that Turbo makes say that name, so that a form which
 * signs somebody in lets the connection go on under the session's new id; those of other pages have to come again.
 */
import type { CableReadyClient, CableReadyOperation, Consumer } from './clients'
import { interceptMessages } from './version'

/** How long an answer is waited for, in milliseconds. The server's reply waits for a shorter time. */
const ANSWER_WITHIN = 10_000

/** The operation that brings a ticket. */
const OPERATION = 'sinewSession'

interface Message {
  readonly sinew?: { readonly socket?: unknown }
  readonly operations?: CableReadyOperation[]
}

interface Ticket {
  readonly ticket: string
  readonly path: string
}

/** Starts redeeming tickets, for as long as the page lives. */
export function carrySession (consumer: Consumer, cableReady: CableReadyClient): void {
  // One after the other: of two answers under way at once, the older cookie could arrive last.
  let last: Promise<unknown> = Promise.resolve()
  cableReady.addOperation(OPERATION, (operation: Ticket) => {
    last = last.then(async () => await redeem(operation))
  })

  let socket: string | undefined
  interceptMessages(consumer, message => {
    const { sinew, operations } = (message ?? {}) as Message
    if (typeof sinew?.socket === 'string') {
      socket = sinew.socket
      return undefined
    }
    // It is for this page whatever became of the reflex: the stock client would drop it with the reflex.
    if (operations?.[0]?.operation !== OPERATION) return message
    cableReady.perform(operations)
    return undefined
  })
  document.addEventListener('turbo:before-fetch-request', event => {
    const { url, fetchOptions } = (event as CustomEvent<{ url?: URL, fetchOptions?: { headers?: { [name: string]: string } } }>).detail
    if (socket === undefined || fetchOptions?.headers === undefined || url?.origin !== location.origin) return
    fetchOptions.headers['Sinew-Socket'] = socket
  })
}

async function redeem ({ ticket, path }: Ticket): Promise<void> {
  const url = new URL(path, location.origin)
  if (url.origin !== location.origin) return
  try {
    await fetch(url, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ticket }),
      // The page may be left while it is under way.
      keepalive: true,
      signal: AbortSignal.timeout(ANSWER_WITHIN)
    })
  } catch {
    // The server tells the page that its session is pending, and sends another ticket with the next reply.
  }
}
