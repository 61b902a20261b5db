import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { RECORDINGS, differences, judge, readTable } from './compare.mjs'
import { htmlLines } from './html.mjs'
import { lineDifferences } from './lines.mjs'

const files = fs.readdirSync(RECORDINGS).filter(file => /^\d+-.*\.json$/.test(file))
const read = file => JSON.parse(fs.readFileSync(new URL(file, RECORDINGS), 'utf8'))

/** A recording with every occurrence of a text replaced, in frames as well. */
const replaced = (recording, from, to) => JSON.parse(JSON.stringify(recording).replaceAll(from, to))

test('a recording equals itself', () => {
  for (const file of files) assert.deepEqual(differences(read(file), read(file)), {}, file)
})

test('what varies between two runs is no difference', () => {
  const recording = read('024-selector-single.json')
  const call = recording.steps[1].result
  let other = replaced(recording, call, '00000000-0000-4000-8000-000000000000')
  other = replaced(other, '127.0.0.1:3001', '127.0.0.1:41234')
  other = replaced(other, 'dada8408f655d5bb87af42080381bad0', '0123456789abcdef0123456789abcdef')
  other.frames = other.frames.filter(frame => !frame.data?.includes('"ping"'))
  other.frames.forEach(frame => { frame.t += 17 })
  assert.deepEqual(differences(recording, other), {})
})

test('html is compared as parsed', () => {
  const recording = read('024-selector-single.json')
  assert.deepEqual(differences(recording, replaced(recording, '<div id=\\"two\\">', '<div   id=two>')), {})
  assert.deepEqual(htmlLines('<tr><td b=2 a="1">x'), ['<tr>', '  <td a="1" b="2">', '    "x"'])
})

test('each part shows the difference that was made in it', () => {
  const recording = read('024-selector-single.json')
  const part = (from, to) => Object.keys(differences(recording, replaced(recording, from, to)))
  assert.deepEqual(part('single\\\\u003c/b', 'changed\\\\u003c/b'), ['messages'])
  assert.deepEqual(part('stimulus-reflex:finalize:single', 'stimulus-reflex:finalize:other'), ['events'])
  assert.deepEqual(part('<b>single</b> morph', '<i>single</i> morph'), ['dom'])
  assert.deepEqual(part('actioncable-v1-json","Sec-WebSocket-Accept', 'other","Sec-WebSocket-Accept'), ['sockets'])
  assert.deepEqual(part('confirm_subscription', 'reject_subscription'), ['control'])
  assert.deepEqual(part('promise:resolve', 'promise:reject'), ['events'])
})

test('an answer must name the call it answers', () => {
  const recording = read('006-page-morph-counter.json')
  const calls = recording.frames.filter(frame => frame.dir === 'out' && frame.data.includes('"message"'))
    .map(frame => JSON.parse(JSON.parse(frame.data).data).id)
  assert.equal(calls.length, 3)
  const crossed = structuredClone(recording)
  for (const frame of crossed.frames) {
    if (frame.dir === 'in') frame.data = frame.data.replaceAll(calls[0], calls[1])
  }
  assert.deepEqual(Object.keys(differences(recording, crossed)), ['messages'])
})

test('the order of events counts, except among those of a loading page', () => {
  const recording = read('024-selector-single.json')
  const swapped = (a, b) => {
    const other = structuredClone(recording)
    ;[other.events[a], other.events[b]] = [other.events[b], other.events[a]]
    return Object.keys(differences(recording, other))
  }
  assert.deepEqual(swapped(0, 4), [])
  assert.deepEqual(swapped(5, 6), ['events'])
})

test('operations are compared in the order the client performs them', () => {
  const recording = read('130-ops-queued-with-page.json')
  const other = structuredClone(recording)
  for (const frame of other.frames) {
    const message = frame.dir === 'in' ? JSON.parse(frame.data) : {}
    if (!message.message?.operations) continue
    // Behind or before the reflex's own: the client performs queued operations last.
    message.message.operations.reverse()
    frame.data = JSON.stringify(message)
  }
  assert.deepEqual(differences(recording, other), {})
})

test('a raw probe shows its status, its close and its messages', () => {
  const refused = read('905-raw-wrong-origin.json')
  assert.deepEqual(Object.keys(differences(refused, { ...refused, handshake: { ...refused.handshake, status: 403 } })), ['handshake'])
  const twice = read('921-raw-subscribe-twice.json')
  const confirmed = structuredClone(twice)
  confirmed.frames.splice(4, 0, confirmed.frames[2])
  assert.deepEqual(differences(twice, confirmed), { messages: ['+ confirm_subscription {"identifier":{"channel":"EchoChannel"}}'] })
})

test('the table accepts exactly the difference it names', () => {
  const rows = [{ scenario: 's', part: 'dom', reason: 'because', lines: ['- a', '+ b'] }]
  assert.deepEqual(judge('s', { dom: ['- a', '+ b'] }, rows), { accepted: rows, unexplained: {}, stale: [] })
  assert.deepEqual(judge('s', { dom: ['- a', '+ c'] }, rows), { accepted: [], unexplained: { dom: ['- a', '+ c'] }, stale: rows })
  assert.deepEqual(judge('s', {}, rows).stale, rows)
  assert.deepEqual(judge('t', { dom: ['- a'] }, rows).unexplained, { dom: ['- a'] })
})

test('every row of the table names a recording, a part and a reason', () => {
  const names = new Set(files.map(file => file.replace('.json', '')))
  for (const row of readTable().rows) {
    assert.ok(names.has(row.scenario), row.scenario)
    assert.ok(row.reason.length > 20, `${row.scenario}: ${row.reason}`)
    assert.ok(row.part === '*' || row.lines.length > 0, row.scenario)
  }
})

test('line differences are as few as possible', () => {
  assert.deepEqual(lineDifferences(['a', 'b', 'c'], ['a', 'c']), ['- b'])
  assert.deepEqual(lineDifferences(['a', 'b'], ['b', 'a']), ['- a', '+ a'])
  assert.deepEqual(lineDifferences([], ['x']), ['+ x'])
})
