// Writes down what a page's sockets, events, console and documents do, as spec/golden/README.md names it.

/** Runs in every page before its scripts: notes events as they are dispatched, and promises as they settle. */
export function noteEvents () {
  const named = node => {
    if (node === document) return 'document'
    if (node === window) return 'window'
    return node?.tagName ? node.tagName.toLowerCase() + (node.id ? '#' + node.id : '') : String(node)
  }
  const plain = detail => {
    try {
      return JSON.parse(JSON.stringify(detail, (key, value) => {
        if (value instanceof Node) return named(value)
        return key === 'controller' && value?.identifier ? value.identifier : value
      }))
    } catch (error) {
      return String(error)
    }
  }
  window.__note = (type, detail) => window.__push(JSON.stringify({ type, detail }))
  const dispatchEvent = EventTarget.prototype.dispatchEvent
  EventTarget.prototype.dispatchEvent = function (event) {
    if (/^(stimulus-reflex|cable-ready|custom):/.test(event.type)) {
      const from = event.detail || {}
      let detail
      if (event.type.startsWith('stimulus-reflex:') && from.reflex !== undefined && from.id !== undefined) {
        detail = { reflex: from.reflex, payload: from.payload, controller: from.controller?.identifier, element: named(from.element) }
      } else if (event.type.startsWith('cable-ready:')) {
        detail = { operation: from.operation, selector: typeof from.selector === 'string' ? from.selector : undefined, name: from.name, error: from.error }
      } else {
        detail = plain(from)
      }
      window.__push(JSON.stringify({ type: event.type, target: named(this), detail }))
    }
    return dispatchEvent.call(this, event)
  }
  window.__p = (label, promise) => {
    promise.then(
      value => window.__note('promise:resolve', { label, payload: value?.payload, keys: value && Object.keys(value) }),
      reason => window.__note('promise:reject', { label, error: reason?.error, string: String(reason), keys: reason && Object.keys(reason) }))
    return promise.id
  }
}

/**
 * Writes what happens in `page` into `recording`.
 *
 * @param {object} recording
 * @param {import('playwright-core').Page} page
 * @param {string} tab
 * @param {{ since: number, moved: () => void }} clock `moved` is called when a frame passes that is no ping
 */
export async function record (recording, page, tab, clock) {
  await recordHandshakes(recording, page, tab)
  let sockets = 0
  page.on('websocket', socket => {
    const ws = sockets++
    const frame = dir => ({ payload }) => {
      const data = payload.toString()
      if (!data.includes('"type":"ping"')) clock.moved()
      recording.frames.push({ tab, ws, dir, t: Date.now() - clock.since, data })
    }
    socket.on('framesent', frame('out'))
    socket.on('framereceived', frame('in'))
    socket.on('close', () => recording.frames.push({ tab, ws, dir: 'close', t: Date.now() - clock.since }))
  })
  page.on('console', message => recording.console.push({ tab, type: message.type(), text: message.text() }))
  page.on('pageerror', error => recording.page_errors.push({ tab, message: error.message }))
  page.on('response', async response => {
    if (response.request().resourceType() !== 'document') return
    const entry = { tab, url: response.url(), status: response.status(), headers: response.headers(), html: null }
    recording.pages.push(entry)
    // A redirect, or a page that is already left, has no body to read.
    entry.html = await response.text().catch(() => null)
    if (recording.html_before === null) {
      recording.html_before = entry.html
      entry.html = 'see html_before'
    }
  })
}

async function recordHandshakes (recording, page, tab) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Network.enable')
  const sockets = {}
  const on = (event, change) => cdp.on('Network.' + event, details => {
    if (sockets[details.requestId]) Object.assign(sockets[details.requestId], change(details))
  })
  cdp.on('Network.webSocketCreated', ({ requestId, url }) => {
    sockets[requestId] = { tab, url }
    recording.sockets.push(sockets[requestId])
  })
  on('webSocketWillSendHandshakeRequest', ({ request }) => ({ request_headers: request.headers }))
  on('webSocketHandshakeResponseReceived', ({ response }) => ({ status: response.status, response_headers: response.headers }))
  on('webSocketClosed', () => ({ closed: true }))
}
