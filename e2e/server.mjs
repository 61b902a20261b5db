// Starts an example application on a free port with data of its own, and ends it.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000
const READY_POLL_MS = 25

/** Children that are alive: ended with this process, however it ends. */
const children = new Set()
process.on('exit', () => children.forEach(child => child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

/** Examples that belong to a crate, and lie elsewhere than those that are packages. */
const OF_CRATES = ['page_from_file']

/**
 * Where the program of an example is, or the command `sinew`: `<NAME>_BIN` of the environment, or the debug build of this checkout.
 *
 * @param {string} name `demo`, `reference` …
 */
export function binary (name) {
  const target = process.env.CARGO_TARGET_DIR || fileURLToPath(new URL('../target', import.meta.url))
  const crate = name === 'sinew' ? 'sinew-server' : name
  const folder = OF_CRATES.includes(name) ? 'debug/examples' : 'debug'
  const file = process.env[`${name.toUpperCase()}_BIN`] || path.join(target, folder, name)
  if (!fs.existsSync(file)) throw new Error(`${file} is not there: run \`cargo build -p ${crate}\`, or \`cargo xtask test\`, which does`)
  return file
}

export function freePort () {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {number} port
 * @property {() => string} output what it printed so far
 * @property {() => Promise<void>} stop ends it and removes its data
 * @property {(options?: { awayMs?: number }) => Promise<void>} restart ends it and starts it again on the same port with
 *   the same data; `awayMs`: how long nobody listens there meanwhile
 */

/**
 * @param {string} name of the example
 * @param {{ env?: Record<string, string>, port?: number, ready?: string }} options `ready`: the path
 *   whose answer, whatever it says, means that the server is up
 * @returns {Promise<Server>}
 */
export async function start (name, { env = {}, port, ready = '/' } = {}) {
  port ??= await freePort()
  const data = fs.mkdtempSync(path.join(os.tmpdir(), `sinew-${name}-`))
  const environment = { ...process.env, PORT: String(port), SINEW_DATA_DIR: data, ...env }
  const removeData = () => fs.rmSync(data, { recursive: true, force: true })
  const run = () => startProcess(name, environment, data, port, ready)

  let running = await run().catch(error => { removeData(); throw error })
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    output: () => running.output(),
    stop: async () => { await running.end(); removeData() },
    restart: async ({ awayMs = 0 } = {}) => {
      await running.end()
      // The pause is what the test is about.
      if (awayMs > 0) await new Promise(resolve => setTimeout(resolve, awayMs))
      running = await run()
    }
  }
}

async function startProcess (name, env, cwd, port, ready) {
  const child = spawn(binary(name), [], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => { output += text })
  let ended = null
  const exit = new Promise(resolve => {
    child.on('error', error => { ended = error.message; resolve() })
    child.on('exit', (code, signal) => { ended ??= `exited with ${signal ?? code}`; resolve() })
  })
  const end = async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exit
    clearTimeout(timer)
    children.delete(child)
  }

  const deadline = Date.now() + START_TIMEOUT_MS
  while (!await answers(port, ready)) {
    if (ended === null && Date.now() < deadline) {
      // A port tells nobody when it opens.
      await new Promise(resolve => setTimeout(resolve, READY_POLL_MS))
      continue
    }
    const why = ended ?? `no answer on port ${port} after ${START_TIMEOUT_MS} ms`
    await end()
    throw new Error(`${name} did not start: ${why}\n${output}`)
  }
  return { output: () => output, end }
}

function answers (port, path) {
  return new Promise(resolve => {
    const request = http.get({ host: '127.0.0.1', port, path, agent: false }, response => {
      response.resume().on('end', () => resolve(true))
    })
    request.on('error', () => resolve(false))
  })
}
