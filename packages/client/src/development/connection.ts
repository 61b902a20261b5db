/** The connection in development: why it is refused, and a quick return after a restart. */
import type { Consumer, Started } from '../start'
import type { Overlay } from './overlay'

/** First and longest pause between two attempts, and how long they go on, in milliseconds. */
const PAUSE_MIN = 100
const PAUSE_MAX = 2000
const ATTEMPTS_TIME_MAX = 5 * 60_000

/** What the stock client keeps to itself, as far as it is used here. */
interface Connection {
  webSocket?: WebSocket
  monitor: { isRunning: () => unknown, recordConnect: () => void }
  open: () => boolean
  isActive: () => boolean
  isOpen: () => boolean
  installEventHandlers: () => void
}

const REASONS: { readonly [reason: string]: string } = {
  unauthorized: 'The server does not know who this is. Without `Sinew::identify` that means that the page brought no session: take `ClientTags` into the handler of this page and write it into its head, and look whether the browser keeps the cookie (one that is `Secure` needs https). With `Sinew::identify` it refused: sign in.',
  token_expired: 'The token of this page is past its time: load the page again.',
  idle_timeout: 'The application did not answer who this is in time: look into what `Sinew::identify` waits for.',
  invalid_request: 'The server did not understand the handshake: is there a proxy in between that changes it?'
}

/** Explains refused connections, and comes back quickly after lost ones. */
export function watchConnection ({ consumer }: Started, overlay: Overlay): void {
  const connection = (consumer as Consumer & { connection: Connection }).connection
  let wasWelcome = false
  const follow = (socket: WebSocket): void => {
    let wasOpen = socket.readyState === WebSocket.OPEN
    socket.addEventListener('open', () => { wasOpen = true })
    socket.addEventListener('message', event => {
      const { type, reason } = read(event.data)
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
  }
  const install = connection.installEventHandlers
  connection.installEventHandlers = function (this: Connection) {
    install.call(this)
    if (this.webSocket !== undefined) follow(this.webSocket)
  }
  if (connection.webSocket !== undefined) follow(connection.webSocket)
  returnQuickly(connection)
}

function read (data: unknown): { type?: string, reason?: string } {
  try {
    return JSON.parse(String(data)) ?? {}
  } catch {
    return {}
  }
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

/** The stock client waits some six seconds before it tries again; a rebuild is done sooner. */
function returnQuickly (connection: Connection): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = (): void => { clearTimeout(timer) }
  document.addEventListener('stimulus-reflex:connected', stop)
  document.addEventListener('stimulus-reflex:disconnected', () => {
    stop()
    const since = Date.now()
    const attempt = (pause: number): void => {
      timer = setTimeout(() => {
        // One that was told to stay away does.
        if (!connection.monitor.isRunning() || Date.now() - since > ATTEMPTS_TIME_MAX) return
        if (!connection.isActive()) connection.open()
        attempt(Math.min(pause * 2, PAUSE_MAX))
      }, pause)
    }
    attempt(PAUSE_MIN)
  })
}
