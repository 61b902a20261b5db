// A page without a browser: jsdom, the bundled client, and a WebSocket that a test speaks for.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { JSDOM, VirtualConsole } from 'jsdom'

const here = path.dirname(fileURLToPath(import.meta.url))

/** The package's modules, as a bundler of an application makes them: what is exported is in `Library`. */
export async function library () {
  const { outputFiles: [file] } = await esbuild.build({
    entryPoints: [path.join(here, '../dist/start.js')],
    bundle: true,
    format: 'iife',
    globalName: 'Library',
    footer: { js: 'window.Library = Library' },
    write: false,
    logLevel: 'warning'
  })
  return file.text
}

/** A page at http://example.test/ whose sockets are in `sockets`, and what it said aloud in `errors`. */
export function open (html, ...scripts) {
  const errors = []
  const virtualConsole = new VirtualConsole()
  for (const kind of ['error', 'warn', 'jsdomError']) virtualConsole.on(kind, (...words) => errors.push(words.join(' ')))
  const dom = new JSDOM(html, { url: 'http://example.test/', runScripts: 'outside-only', pretendToBeVisual: true, virtualConsole })
  const { window } = dom
  const sockets = []
  let opened
  const firstSocket = new Promise(resolve => { opened = resolve })
  window.WebSocket = class FakeSocket {
    static CONNECTING = 0
    static OPEN = 1
    static CLOSING = 2
    static CLOSED = 3

    constructor (url, protocols) {
      Object.assign(this, { url, protocols, protocol: protocols[0], readyState: 0, sent: [], listening: [] })
      sockets.push(this)
      opened(this)
    }

    /** The server accepts and says that it is there. */
    accept () {
      this.readyState = 1
      this.onopen?.()
      this.tell({ type: 'welcome' })
    }

    /** The server says something. */
    tell (message) { this.onmessage?.({ data: JSON.stringify(message) }) }

    send (text) {
      this.sent.push(JSON.parse(text))
      this.listening.splice(0).forEach(wake => wake())
    }

    close () {
      this.readyState = 3
      this.onclose?.({})
    }

    /** The first message of the page that fits. */
    async said (fits) {
      for (;;) {
        const found = this.sent.find(fits)
        if (found) return found
        await new Promise(resolve => this.listening.push(resolve))
      }
    }
  }
  for (const script of scripts) window.eval(script)
  return { window, document: window.document, sockets, firstSocket, errors, close: () => window.close() }
}

/** The page was parsed and its controllers are connected. */
export function loaded ({ window, document }) {
  return new Promise(resolve => {
    const settle = () => window.setTimeout(resolve, 0)
    document.readyState === 'complete' ? settle() : window.addEventListener('load', settle)
  })
}
