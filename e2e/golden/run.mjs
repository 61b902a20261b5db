// The reference application against the recordings of the original: node run.mjs [options]
//   --filter RE   only scenarios whose number and name match
//   --keep DIR    write the recordings made here to DIR
//   --bless       write the differences found into the rows that have a reason already
//   --jobs N      so many at a time, each with servers and a browser of its own (as many as processors, at most 4)
// Ends with 1 when a difference has no row, or a row has no difference.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { launch } from '../browser.mjs'
import { start } from '../server.mjs'
import { RECORDINGS, TABLE, differences, judge, leftOut, readTable } from './compare.mjs'
import * as browserDriver from './driver.mjs'
import * as rawDriver from './raw.mjs'

const SERVERS = { cache: { SESSION: 'cache' }, cookie: { SESSION: 'cookie' }, warn: { SESSION: 'cache', SANITY: 'warn' } }
const DIFFERING_LINES_SHOWN_MAX = 24
const JOBS_MAX = 4

const { values: options } = parseArgs({
  options: { filter: { type: 'string' }, keep: { type: 'string' }, bless: { type: 'boolean' }, jobs: { type: 'string' } }
})
const jobs = Math.max(1, Number(options.jobs ?? Math.min(JOBS_MAX, os.availableParallelism())) || 1)
const wanted = new RegExp(options.filter ?? '')
const table = readTable()
let exitCode = 1

/** What scenarios are driven with, one after the other: nobody else speaks to its servers. */
class Stage {
  #servers = {}
  #browser

  /** One server a variant, started when the first scenario asks for it. */
  async base (variant) {
    this.#servers[variant] ??= await start('reference', { env: SERVERS[variant], ready: '/bare' })
    return this.#servers[variant].url
  }

  async browser () {
    return (this.#browser ??= await launch())
  }

  async close () {
    await this.#browser?.close()
    await Promise.all(Object.values(this.#servers).map(server => server.stop()))
  }
}

/** Every scenario there is a recording of, with the way to drive it. */
function tasks () {
  const list = []
  for (const scenario of browserDriver.scenarios()) {
    list.push({
      name: `${scenario.n}-${scenario.name}`,
      drive: async stage => browserDriver.drive(await stage.browser(), scenario, await stage.base(scenario.server ?? 'cache'))
    })
  }
  for (const { n, name } of rawDriver.probes('')) {
    list.push({
      name: `${n}-raw-${name}`,
      drive: async stage => {
        const url = await stage.base('cache')
        return rawDriver.drive(rawDriver.probes(url).find(probe => probe.n === n), url)
      }
    })
  }
  const known = new Set(list.map(task => task.name))
  for (const file of fs.readdirSync(RECORDINGS)) {
    if (/^\d+-.*\.json$/.test(file) && !known.has(file.replace('.json', ''))) throw new Error(`nothing drives the recording ${file}`)
  }
  return list.filter(task => wanted.test(task.name))
}

async function compare (task, stage) {
  const row = leftOut(task.name, table.rows)
  if (row) return { line: 'left out', detail: [row.reason] }
  const expected = JSON.parse(fs.readFileSync(new URL(`${task.name}.json`, RECORDINGS), 'utf8'))
  const actual = await task.drive(stage)
  if (options.keep) {
    fs.mkdirSync(options.keep, { recursive: true })
    fs.writeFileSync(path.join(options.keep, `${task.name}.json`), JSON.stringify(actual, null, 1) + '\n')
  }
  const found = differences(expected, actual)
  if (options.bless) bless(task.name, found)
  const { accepted, unexplained, stale } = judge(task.name, found, table.rows)
  const detail = [
    ...Object.entries(unexplained).flatMap(([part, lines]) => [`${part}:`, ...shortened(lines)]),
    ...stale.filter(row => !unexplained[row.part]).map(row => `${row.part}: the table names a difference that is not there: ${row.reason}`)
  ]
  if (detail.length > 0) return { failed: true, line: 'DIFFERS', detail }
  return { line: accepted.length > 0 ? `differs on purpose (${accepted.map(row => row.part).join(', ')})` : 'same', detail: [] }
}

function shortened (lines) {
  const shown = lines.slice(0, DIFFERING_LINES_SHOWN_MAX).map(line => '  ' + (line.length > 400 ? line.slice(0, 400) + ' …' : line))
  return lines.length > shown.length ? [...shown, `  … ${lines.length - shown.length} more lines`] : shown
}

function bless (name, found) {
  for (const row of table.rows) {
    if (row.scenario === name && found[row.part]) row.lines = found[row.part]
  }
}

const stages = Array.from({ length: jobs }, () => new Stage())
try {
  const results = []
  const list = tasks()
  const waiting = list.entries()
  await Promise.all(stages.map(async stage => {
    for (const [index, task] of waiting) {
      const result = await compare(task, stage)
      results.push(result)
      console.log(`${String(index + 1).padStart(3)}/${list.length} ${task.name.padEnd(52)} ${result.line}`)
      for (const line of result.detail) console.log('        ' + line)
    }
  }))
  if (options.bless) fs.writeFileSync(TABLE, JSON.stringify(table, null, 2) + '\n')
  const failed = results.filter(result => result.failed).length
  console.log(`${results.length - failed} scenarios as expected, ${failed} with unexplained differences`)
  exitCode = failed === 0 && results.length > 0 ? 0 : 1
} catch (error) {
  console.error(error.message)
} finally {
  await Promise.all(stages.map(stage => stage.close()))
}
process.exit(exitCode)
