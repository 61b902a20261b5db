// Two recordings of one scenario, part by part, against the table of differences that are on purpose.
import fs from 'node:fs'
import { lineDifferences } from './lines.mjs'
import { view } from './view.mjs'

export const RECORDINGS = new URL('../../spec/golden/', import.meta.url)
export const TABLE = new URL('../../spec/golden/differences.json', import.meta.url)

/**
 * @typedef {object} Row what differs on purpose in one part of one scenario
 * @property {string} scenario its number and name, as its file is called
 * @property {string} part a part of the view, or `*`: this scenario is not compared
 * @property {string} reason why, for a reader
 * @property {string[]} [lines] the difference itself; no other is accepted
 */

/** @returns {{ everywhere: object[], rows: Row[] }} */
export function readTable () {
  return JSON.parse(fs.readFileSync(TABLE, 'utf8'))
}

/**
 * @param {object} expected a recording of the original
 * @param {object} actual the same scenario, driven here
 * @returns {Record<string, string[]>} part → its differing lines; a part without any is absent
 */
export function differences (expected, actual) {
  const [before, after] = [view(expected), view(actual)]
  const found = {}
  for (const part of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const lines = lineDifferences(before[part] ?? [], after[part] ?? [])
    if (lines.length > 0) found[part] = lines
  }
  if (actual.driver_error) found.driver = ['+ ' + actual.driver_error]
  return found
}

/**
 * @param {string} scenario number and name
 * @param {Record<string, string[]>} found what `differences` gave
 * @param {Row[]} rows the table
 * @returns {{ accepted: Row[], unexplained: Record<string, string[]>, stale: Row[] }} `stale` are the
 *   rows of this scenario whose difference is not there, or is another one
 */
export function judge (scenario, found, rows) {
  const accepted = []
  const stale = []
  const unexplained = { ...found }
  for (const row of rows.filter(row => row.scenario === scenario)) {
    if (JSON.stringify(found[row.part]) === JSON.stringify(row.lines)) {
      accepted.push(row)
      delete unexplained[row.part]
    } else {
      stale.push(row)
    }
  }
  return { accepted, unexplained, stale }
}

/** Whether a scenario is left out of the comparison altogether, and why. */
export function leftOut (scenario, rows) {
  return rows.find(row => row.scenario === scenario && row.part === '*')
}
