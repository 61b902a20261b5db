// What a recording means: its parts as lines, with everything masked that varies between two runs.
// spec/golden/README.md says what is compared and what is masked; this file is that text as code.
import { htmlLines } from './html.mjs'

/** Order among these is chance while a page loads. */
const LOADING = new Set([
  'stimulus-reflex:initialized', 'stimulus-reflex:ready',
  'stimulus-reflex:controller-registered', 'stimulus-reflex:connected'
])

/** The page is being left: what it still does before the next one loads is chance. */
const LEAVING = new Set(['cable-ready:after-redirect-to', 'cable-ready:after-reload'])

/** Several answers are on their way at once: compared per call, not by arrival. */
const IN_FLIGHT = new Set(['concurrent-selector', 'concurrent-session-race', 'burst-ten-page-morphs'])

/** Whether the click comes before or after the reconnect is chance. */
const CLICK_RACES_RECONNECT = new Set(['server-restart-disconnect'])

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/**
 * @param {object} recording a browser scenario or a raw probe
 * @returns {Record<string, string[]>} part of the comparison → its lines
 */
export function view (recording) {
  const mask = maskOf(recording)
  if (recording.handshake !== undefined) {
    return { handshake: handshakeLines(recording, mask), messages: rawLines(recording, mask) }
  }
  return {
    calls: callLines(recording, mask),
    messages: messageLines(recording, mask),
    control: controlLines(recording, mask),
    events: eventLines(recording, mask),
    dom: domLines(recording, mask),
    pages: recording.pages.map(page => mask(`${page.tab} ${page.url} ${page.status} ${mime(page.headers['content-type'])}`)),
    sockets: recording.sockets.map(socket => mask(`${socket.tab} ${socket.url} ${socket.status} ${headerLine(socket.response_headers)}`)).sort(),
    steps: stepLines(recording, mask),
    console: consoleLines(recording, mask)
  }
}

/**
 * Ids become names: the n-th call of a tab is `A1`, `A2` …, so that an answer must name its call.
 */
function maskOf (recording) {
  const names = new Map()
  const calls = {}
  for (const frame of recording.frames) {
    const call = callIn(frame)
    if (!call) continue
    const tab = frame.tab ?? ''
    const number = (calls[tab] = (calls[tab] ?? 0) + 1)
    if (typeof call.id === 'string' && call.id !== '' && !names.has(call.id)) names.set(call.id, `${tab}${number}`)
  }
  return text => text
    .replace(UUID, id => names.get(id) ?? '<id>')
    .replace(/\b(http|ws)s?:\/\/127\.0\.0\.1:\d+/g, '$1://host')
    .replace(/\b[0-9a-f]{32}\b/g, '<session>')
}

function callIn (frame) {
  if (frame.dir !== 'out') return null
  const command = parsed(frame.data)
  return command?.command === 'message' ? parsed(command.data) ?? {} : null
}

function callLines (recording, mask) {
  return byTab(recording.frames)
    .map(frame => ({ frame, call: callIn(frame) }))
    .filter(({ call }) => call)
    .map(({ frame, call }) => mask(`${frame.tab} ${sorted(call)}`))
}

function messageLines (recording, mask) {
  const groups = new Map()
  for (const frame of byTab(recording.frames)) {
    const message = frame.dir === 'in' ? parsed(frame.data) : null
    if (!message || message.message === undefined || message.type) continue
    const group = `${frame.tab}/${frame.ws} ${sorted(parsed(message.identifier))}`
    if (!groups.has(group)) groups.set(group, [])
    groups.get(group).push(broadcastLines(message.message, mask))
  }
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1).flatMap(([group, messages]) => {
    if (IN_FLIGHT.has(recording.scenario)) messages.sort((a, b) => a[0].localeCompare(b[0], 'en', { numeric: true }))
    return [mask(group), ...messages.flat().map(line => '  ' + line)]
  })
}

/** One message of a subscription; of CableReady's, the operations in the order the client performs them. */
function broadcastLines (message, mask) {
  if (message?.cableReady !== true) return [mask(sorted(message))]
  const { operations, version } = message
  const ofReflex = operations.filter(operation => operation.stimulusReflex).reverse()
  const others = operations.filter(operation => !operation.stimulusReflex)
  const call = ofReflex[0]?.stimulusReflex.id ?? operations[0]?.reflexId
  const performed = [...ofReflex, ...others]
  return [
    mask(`message${call ? ' for ' + call : ''} (cable_ready ${version})`),
    ...performed.flatMap(operation => operationLines(operation, mask)).map(line => '  ' + line)
  ]
}

function operationLines ({ operation, stimulusReflex, reflexId, html, ...rest }, mask) {
  // Performed alike: without a selector and with none.
  if (rest.selector === null) delete rest.selector
  if (rest.error) rest.error = '<error text>'
  if (stimulusReflex) {
    const { id, url, resolveLate, morph } = stimulusReflex
    rest.stimulusReflex = { id, url, resolveLate, morph }
  }
  const tree = html === undefined ? [] : htmlLines(String(html)).map(line => '  | ' + line)
  return [`${operation} ${sorted(rest)}`, ...tree].map(mask)
}

function controlLines (recording, mask) {
  const sockets = new Map()
  for (const frame of byTab(recording.frames)) {
    const socket = `${frame.tab}/${frame.ws}`
    if (!sockets.has(socket)) sockets.set(socket, { said: [], closed: [] })
    const message = frame.dir === 'in' ? parsed(frame.data) : null
    if (frame.dir === 'close') sockets.get(socket).closed.push(`${socket} closed`)
    else if (message?.type && message.type !== 'ping') sockets.get(socket).said.push(`${socket} ${controlLine(message)}`)
  }
  const isAnswer = line => /confirm_subscription|reject_subscription/.test(line)
  return [...sockets.values()].flatMap(({ said, closed }) => [...sortedRuns(said, isAnswer), ...closed]).map(mask)
}

function controlLine ({ type, identifier, ...rest }) {
  if (identifier !== undefined) rest.identifier = parsed(identifier)
  return `${type} ${sorted(rest)}`
}

function eventLines (recording, mask) {
  const isInFlight = IN_FLIGHT.has(recording.scenario)
  const isChance = ({ type }) =>
    (CLICK_RACES_RECONNECT.has(recording.scenario) && /:(queued|connected|disconnected)/.test(type)) ||
    // One look at the page for all answers that came together.
    (isInFlight && type === 'stimulus-reflex:ready')
  const lines = whileStaying(byTab(recording.events))
    .filter(event => !isChance(event))
    .map(event => {
      const detail = { ...event.detail }
      for (const key of ['error', 'string']) if (detail[key]) detail[key] = '<error text>'
      return mask(`${event.tab} ${event.type} ${event.target ?? ''} ${sorted(detail)}`)
    })
  return isInFlight
    ? lines.sort()
    : sortedRuns(lines, line => LOADING.has(line.split(' ')[1]))
}

function whileStaying (events) {
  let isLeaving = false
  return events.filter(event => {
    if (LOADING.has(event.type)) isLeaving = false
    const isKept = !isLeaving
    if (LEAVING.has(event.type)) isLeaving = true
    return isKept
  })
}

function domLines (recording, mask) {
  return Object.entries(recording.dom_after).sort(([a], [b]) => a < b ? -1 : 1).flatMap(([tab, after]) => [
    `${tab} ${after.url} ${JSON.stringify(after.title)} ${after.selector}`,
    ...(after.html === null ? ['  nothing'] : htmlLines(after.html).map(line => '  ' + line))
  ].map(mask))
}

function stepLines (recording, mask) {
  return recording.steps.map((step, number) => {
    const done = { ...step }
    if (step.body) done.result = { type: mime(step.result.headers['content-type']), body: parsed(step.result.body) ?? step.result.body }
    return mask(`${number} ${sorted(done)}`)
  })
}

function consoleLines (recording, mask) {
  return [
    // The browser asks for a favicon when it pleases.
    ...recording.console.filter(({ text }) => !text.startsWith('Failed to load resource'))
      .map(({ tab, type, text }) => `${tab} ${type} ${JSON.stringify(text)}`),
    ...recording.page_errors.map(({ tab, message }) => `${tab} uncaught ${JSON.stringify(message)}`)
  ].map(mask).sort()
}

function handshakeLines ({ handshake, error }, mask) {
  const lines = error ? [`error ${error}`] : []
  if (!handshake) return lines
  lines.push(`status ${handshake.status}`, headerLine(handshake.headers))
  if (handshake.body !== undefined) lines.push(`body ${handshake.body}`)
  return lines.map(mask)
}

function rawLines ({ frames }, mask) {
  return frames.filter(({ dir }) => dir !== 'out').flatMap(frame => {
    if (frame.dir === 'close') return [`close ${frame.code} ${JSON.stringify(frame.reason)}`]
    if (frame.opcode) return frame.opcode === 'ping' ? [] : [`${frame.opcode} ${frame.data}`]
    const kind = frame.binary ? 'binary ' : ''
    const message = parsed(frame.data)
    if (message?.type === 'ping') return []
    if (!message) return [kind + frame.data]
    if (message.type) return [kind + controlLine(message)]
    return [`${kind}${sorted(parsed(message.identifier))}`, ...broadcastLines(message.message, mask).map(line => '  ' + line)]
  }).map(mask)
}

/** What a handshake's answer says that does not name this one request. */
function headerLine (headers = {}) {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return sorted({
    upgrade: lower.upgrade?.toLowerCase(),
    connection: lower.connection?.toLowerCase(),
    accept: lower['sec-websocket-accept'] === undefined ? undefined : '<accept>',
    protocol: lower['sec-websocket-protocol'],
    extensions: lower['sec-websocket-extensions']
  })
}

function mime (contentType) {
  return contentType?.split(';')[0]
}

/** Stable, by tab: how two tabs interleave is chance. */
function byTab (items) {
  return [...items].sort((a, b) => (a.tab ?? '') < (b.tab ?? '') ? -1 : (a.tab ?? '') > (b.tab ?? '') ? 1 : 0)
}

/** Sorts each run of neighbouring lines that `belongs`, and leaves the rest where it is. */
function sortedRuns (lines, belongs) {
  const result = []
  let run = []
  for (const line of lines) {
    if (belongs(line)) {
      run.push(line)
    } else {
      result.push(...run.sort(), line)
      run = []
    }
  }
  return [...result, ...run.sort()]
}

function parsed (text) {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON with its keys sorted at every depth. */
function sorted (value) {
  return JSON.stringify(value, (_, inner) => inner && typeof inner === 'object' && !Array.isArray(inner)
    ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
    : inner)
}
