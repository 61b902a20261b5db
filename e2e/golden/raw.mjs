// Probes of the cable with a bare WebSocket client: what no browser would send.
import WebSocket from 'ws'

const PROTOCOLS = ['actioncable-v1-json', 'actioncable-unsupported']
const REFLEXES = JSON.stringify({ channel: 'StimulusReflex::Channel' })
const ECHO = JSON.stringify({ channel: 'EchoChannel' })

/** After a frame that may rightly get no answer, the only thing to wait for is time. */
const ANSWER_MS = 300

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const command = (command, identifier, data) => JSON.stringify({ command, identifier, data })
const subscribe = identifier => command('subscribe', identifier)
const perform = (identifier, data) => command('message', identifier, data)
const channel = name => JSON.stringify({ channel: name })

/** @returns {object[]} the probes as data, in order; `base` is the server's URL */
export function probes (base) {
  const alive = [subscribe(ECHO), perform(ECHO, JSON.stringify({ action: 'say', still: 'alive' }))]
  const call = data => perform(REFLEXES, JSON.stringify(data))
  const bad = ['', 'not a url', 'http://other.example/counter', '/counter', 'http://[bad', base + '/counter?a=%ff', base + '/counter?a[b]=1&a=2']
  return [
    { n: 901, name: 'no-subprotocol', protocols: [] },
    { n: 902, name: 'only-unsupported-subprotocol', protocols: ['actioncable-unsupported'] },
    { n: 904, name: 'msgpack-subprotocol', protocols: ['actioncable-v1-msgpack'] },
    { n: 905, name: 'wrong-origin', origin: 'http://evil.example' },
    { n: 907, name: 'no-cookie', cookie: '' },
    { n: 908, name: 'bogus-session-cookie', cookie: '_ref_session=0123456789abcdef0123456789abcdef', send: [subscribe(REFLEXES)] },
    { n: 911, name: 'invalid-json', send: ['not json', ...alive] },
    { n: 913, name: 'json-not-object', send: ['[]', '1', 'null', '"x"', ...alive] },
    { n: 915, name: 'no-command', send: ['{}', ...alive] },
    { n: 917, name: 'not-a-channel-class', send: [subscribe(channel('String')), subscribe(channel('ActionCable::Channel::Base')), ...alive] },
    { n: 921, name: 'subscribe-twice', send: [subscribe(ECHO), subscribe(ECHO), perform(ECHO, '{"action":"say"}')] },
    { n: 923, name: 'unsubscribe', send: [subscribe(ECHO), command('unsubscribe', ECHO), perform(ECHO, '{"action":"say"}'), command('unsubscribe', ECHO)] },
    { n: 924, name: 'message-not-subscribed', send: [perform(ECHO, '{"action":"say"}'), ...alive] },
    { n: 925, name: 'message-data-not-json', send: [subscribe(ECHO), perform(ECHO, 'nope'), perform(ECHO), perform(ECHO, '[]'), perform(ECHO, '{"action":"say","ok":1}')] },
    { n: 927, name: 'message-action-not-string', send: [subscribe(ECHO), perform(ECHO, '{"action":1}'), perform(ECHO, '{"action":"say","ok":1}')] },
    { n: 928, name: 'rejected-channel', send: [subscribe(channel('RejectChannel')), perform(channel('RejectChannel'), '{"action":"x"}')] },
    { n: 930, name: 'binary-frame', send: [{ binary: subscribe(ECHO) }, ...alive] },
    { n: 933, name: 'large-message', send: [subscribe(ECHO), perform(ECHO, JSON.stringify({ action: 'say', pad: 'x'.repeat(300000) }))], wait: 800 },
    {
      n: 934,
      name: 'reflex-empty-data',
      send: [subscribe(REFLEXES), perform(REFLEXES, '{}'), call({ target: 'Counter#increment' }), call({ target: 'Counter#increment', version: '3.5.5' }), call({ target: 'Error#ok', version: '3.5.5', url: base + '/counter' })],
      note: 'missing fields in a reflex message',
      wait: 500
    },
    { n: 935, name: 'reflex-minimal', send: [subscribe(REFLEXES), call({ target: 'Counter#increment', version: '3.5.5', url: base + '/counter' })], wait: 500 },
    { n: 937, name: 'reflex-bad-url', send: [subscribe(REFLEXES), ...bad.map(url => call({ target: 'Args#introspect', version: '3.5.5', url, id: url }))], wait: 500 }
  ]
}

/**
 * @param {object} probe
 * @param {string} base
 * @returns {Promise<object>} its recording
 */
export async function drive (probe, base) {
  const { name, protocols = PROTOCOLS, headers = {}, origin = base, url = '/cable', send = [], note, wait = ANSWER_MS } = probe
  const cookie = probe.cookie ?? (await fetch(base + '/counter')).headers.get('set-cookie').split(';')[0]
  const recording = { scenario: `raw-${name}`, note, connect: { url, protocols, origin, headers }, frames: [], handshake: null }
  const { frames } = recording
  const socket = new WebSocket(base.replace('http', 'ws') + url, protocols, { origin, headers: { cookie, ...headers }, perMessageDeflate: false })
  await new Promise(resolve => {
    socket.on('upgrade', ({ statusCode, headers }) => { recording.handshake = { status: statusCode, headers } })
    socket.on('unexpected-response', async (_, response) => {
      let body = ''
      for await (const part of response) body += part
      recording.handshake = { status: response.statusCode, headers: response.headers, body }
      resolve()
    })
    socket.on('message', (data, binary) => frames.push({ dir: 'in', binary: binary || undefined, data: data.toString() }))
    socket.on('pong', data => frames.push({ dir: 'in', opcode: 'pong', data: data.toString() }))
    socket.on('ping', data => frames.push({ dir: 'in', opcode: 'ping', data: data.toString() }))
    socket.on('close', (code, reason) => {
      frames.push({ dir: 'close', code, reason: reason.toString() })
      resolve()
    })
    socket.on('error', error => {
      recording.error = error.message
      setTimeout(resolve, 100)
    })
    socket.on('open', async () => {
      await pause(200)
      for (const frame of send) {
        if (socket.readyState !== WebSocket.OPEN) break
        sendFrame(socket, frame, frames)
        await pause(wait)
      }
      await pause(ANSWER_MS)
      socket.terminate()
      resolve()
    })
  })
  return recording
}

function sendFrame (socket, frame, frames) {
  if (frame.binary !== undefined) {
    frames.push({ dir: 'out', binary: true, data: frame.binary })
    socket.send(Buffer.from(frame.binary))
  } else {
    frames.push({ dir: 'out', data: frame.length > 2000 ? `${frame.slice(0, 200)}... (${frame.length} characters)` : frame })
    socket.send(frame)
  }
}
