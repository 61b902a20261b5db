/** The connection in development: why it is refused, and a quick return after a restart. */
import { connectionOf, eachSocket, readMessage } from '../connection'
import { DEVELOPMENT, reconnect } from '../reconnection'
import type { Consumer, Started } from '../start'
import type { Overlay } from './overlay'

const REASONS: { readonly [reason: string]: string } = {
  unauthorized: 'The server does not know who this is. Without `Sinew::identify` that means that the page brought no session: take `ClientTags` into the handler of this page and write it into its head, and look whether the browser keeps the cookie (one that is `Secure` needs https). With `Sinew::identify` it refused: sign in.',
  token_expired: 'The token of this page is past its time: load the page again.',
  idle_timeout: 'The application did not answer who this is in time: look into what `Sinew::identify` waits for.',
  invalid_request: 'The server did not understand the handshake: is there a proxy in between that changes it?'
}

/** Explains refused connections, and comes back quickly after lost ones. */
export function watchConnection ({ consumer }: Started, overlay: Overlay): void {
  const connection = connectionOf(consumer)
  if (connection === undefined) return
  let wasWelcome = false
  eachSocket(connection, socket => {
    let wasOpen = socket.readyState === WebSocket.OPEN
    socket.addEventListener('open', () => { wasOpen = true })
    socket.addEventListener('message', event => {
      const { type, reason } = readMessage(event.data)
      if (type === 'welcome') {
        wasWelcome = true
        overlay.dismiss('connection')
      }
      if (type === 'disconnect' && reason !== undefined && reason in REASONS) refused(overlay, reason, REASONS[reason]!)
    })
    socket.addEventListener('close', () => {
      // Where it was let in before, the server is only being built.
      if (!wasOpen && !wasWelcome) void diagnose(consumer, overlay)
    })
  })
  // A rebuild is done sooner than a server in production is started again.
  reconnect(connection, DEVELOPMENT)
}

function refused (overlay: Overlay, reason: string, advice: string): void {
  const text = `The cable refused this page: ${reason}`
  console.warn(`Sinew: ${text}. ${advice}`)
  overlay.show({ key: 'connection', title: 'Not connected', text, advice })
}

/** A browser does not say why a handshake failed. If the server answers otherwise, it must be one of a few reasons. */
async function diagnose ({ url }: Consumer, overlay: Overlay): Promise<void> {
  try {
    await fetch(location.href, { method: 'HEAD', cache: 'no-store' })
  } catch {
    // The server is away: being built, most likely. There is nothing to explain.
    return
  }
  const isHere = new URL(url).host === location.host
  const advice = isHere
    ? `The server answers at ${location.origin}, but not there. Does the page’s address of the cable lead to it (\`SINEW_CABLE_PATH\`), and does a proxy in between pass on the Upgrade?`
    : `The page is at ${location.origin} and the cable on another host: set \`SINEW_ALLOWED_ORIGINS=${location.origin}\` where the cable is served, and allow ${new URL(url).origin} in \`connect-src\` of the content security policy.`
  const text = `The cable at ${url} does not accept this page`
  console.warn(`Sinew: ${text}. ${advice}`)
  overlay.show({ key: 'connection', title: 'Not connected', text, advice })
}
