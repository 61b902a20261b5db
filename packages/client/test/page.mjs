// A page without a browser: jsdom, the bundled client, and a WebSocket that a test speaks for.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { JSDOM, VirtualConsole } from 'jsdom'

const here = path.dirname(fileURLToPath(import.meta.url))

const { version } = JSON.parse(fs.readFileSync(path.join(here, '../package.json'), 'utf8'))

/** What the embedded script subscribes to for reflexes. */
export const REFLEX_CHANNEL = JSON.stringify({ channel: 'StimulusReflex::Channel', sinew: `${version}+embedded` })

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
  const waiting = []
  let opened
  const firstSocket = new Promise(resolve => { opened = resolve })
  window.WebSocket = class FakeSocket {
    static CONNECTING = 0
    static OPEN = 1
    static CLOSING = 2
    static CLOSED = 3

    constructor (url, protocols) {
      Object.assign(this, { url, protocols, protocol: protocols[0], readyState: 0, sent: [], listening: [], listeners: {} })
      sockets.push(this)
      opened(this)
      waiting.splice(0).forEach(wake => wake(this))
    }

    addEventListener (type, listener) { (this.listeners[type] ??= []).push(listener) }

    /** Tells those that listen, in either way. */
    dispatch (type, event) {
      this[`on${type}`]?.(event)
      this.listeners[type]?.forEach(listener => listener(event))
    }

    /** The server accepts and says that it is there. */
    accept () {
      this.readyState = 1
      this.dispatch('open', {})
      this.tell({ type: 'welcome' })
    }

    /** The server says something. */
    tell (message) { this.dispatch('message', { data: JSON.stringify(message) }) }

    send (text) {
      this.sent.push(JSON.parse(text))
      this.listening.splice(0).forEach(wake => wake())
    }

    close () {
      this.readyState = 3
      this.dispatch('close', {})
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
  /** The next socket that the page opens. */
  const nextSocket = () => new Promise(resolve => waiting.push(resolve))
  return { window, document: window.document, sockets, firstSocket, nextSocket, errors, close: () => window.close() }
}

/** Runs a test with a page, and closes the page. */
export async function withPage (html, scripts, action) {
  const page = open(html, ...[scripts].flat())
  try {
    await loaded(page)
    await action(page)
  } finally {
    page.close()
  }
}

/** Accepts the page's only connection and confirms the channel of reflexes. */
export async function connect (page) {
  const socket = await page.firstSocket
  await confirm(socket)
  return socket
}

/** Accepts a connection and confirms the channel of reflexes. */
export async function confirm (socket) {
  socket.accept()
  await socket.said(message => message.command === 'subscribe' && message.identifier === REFLEX_CHANNEL)
  socket.tell({ type: 'confirm_subscription', identifier: REFLEX_CHANNEL })
}

/** The page was parsed and its controllers are connected. */
export function loaded ({ window, document }) {
  return new Promise(resolve => {
    const settle = () => window.setTimeout(resolve, 0)
    document.readyState === 'complete' ? settle() : window.addEventListener('load', settle)
  })
}
