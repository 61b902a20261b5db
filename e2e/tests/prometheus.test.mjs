// The metrics as Prometheus itself reads them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { launch } from '../browser.mjs'
import { shows, visit, withPage } from '../page.mjs'
import { freePort, start } from '../server.mjs'

const PROMETHEUS = process.env.PROMETHEUS || '/usr/bin/prometheus'
const SCRAPED_TIMEOUT_MS = 30_000
const POLL_MS = 100

/** Prometheus with data of its own, which scrapes `target` each second. */
async function scraping (target) {
  const port = await freePort()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sinew-prometheus-'))
  const file = path.join(folder, 'prometheus.yml')
  const job = { job_name: 'sinew', static_configs: [{ targets: [target] }] }
  // Its configuration is YAML, of which JSON is a part.
  fs.writeFileSync(file, JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }))
  const child = spawn(PROMETHEUS, [
    `--config.file=${file}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`
  ], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  process.on('exit', kill)
  let output = ''
  child.stderr.setEncoding('utf8').on('data', text => { output += text })
  const exit = new Promise(resolve => { child.on('exit', resolve); child.on('error', resolve) })
  const ask = async (api, parameters = {}) => {
    const url = `http://127.0.0.1:${port}/api/v1/${api}?${new URLSearchParams(parameters)}`
    const answer = await fetch(url).catch(() => null)
    return answer?.ok ? (await answer.json()).data : null
  }
  return {
    ask,
    /** Asks until there is a value that `fits`, and gives all of them with their labels. */
    async until (query, fits) {
      const deadline = Date.now() + SCRAPED_TIMEOUT_MS
      for (;;) {
        const found = await ask('query', { query })
        const values = found?.result.map(({ metric, value }) => ({ ...metric, value: Number(value[1]) })) ?? []
        if (values.some(({ value }) => fits(value))) return values
        if (Date.now() > deadline) assert.fail(`${query} is ${JSON.stringify(values)}\n${output}`)
        // It scrapes when it likes, and tells nobody.
        await new Promise(resolve => setTimeout(resolve, POLL_MS))
      }
    },
    async stop () {
      kill()
      await exit
      process.off('exit', kill)
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

test('Prometheus reads every metric, and what a click did to them', async () => {
  const target = `127.0.0.1:${await freePort()}`
  const server = await start('demo', { env: { SINEW_METRICS_LISTEN: target } })
  const prometheus = await scraping(target)
  const browser = await launch()
  try {
    await withPage(browser, async page => {
      await visit(page, server.url + '/')
      await page.click('#by-ten')
      await shows(page, '#count', '10')
      const [connections] = await prometheus.until('sinew_cable_connections', value => value === 1)
      assert.equal(connections.job, 'sinew')
      const [reflex] = await prometheus.until('sinew_reflex_duration_seconds_count', value => value === 1)
      assert.equal(reflex.reflex, 'CounterReflex#increment')
      await prometheus.until('histogram_quantile(0.5, sinew_reflex_duration_seconds_bucket)', value => value > 0)
      const outcomes = await prometheus.until('sinew_reflex_outcomes_total > 0', value => value === 1)
      assert.deepEqual(outcomes.map(({ outcome }) => outcome), ['page'])
    })
    const { activeTargets: [{ health, lastError }] } = await prometheus.ask('targets', { state: 'active' })
    assert.deepEqual([health, lastError], ['up', ''])
    const metadata = await prometheus.ask('metadata')
    const described = Object.entries(metadata).filter(([name]) => name.startsWith('sinew_'))
    assert.ok(described.length > 30)
    assert.deepEqual(metadata.sinew_cable_ping_lag_seconds[0].unit, 'seconds')

    // Where visitors come there is nothing of it.
    assert.equal((await fetch(server.url + '/metrics')).status, 404)
  } finally {
    await browser.close()
    await prometheus.stop()
    await server.stop()
  }
})
