// Drives one browser scenario and gives back its recording.
import fs from 'node:fs'
import { noteEvents, record } from './recorder.mjs'

/** Without any frame for so long, nothing more is expected. */
const QUIET_MS = 200
const SETTLE_MAX_MS = 2500
/** A client that lost its connection waits a random while before it tries again. */
const RECONNECT_MAX_MS = 30_000
const SETTLE_POLL_MS = 30
const CONNECT_TIMEOUT_MS = 5000

/** @returns {object[]} the scenarios as data, in order */
export function scenarios () {
  return JSON.parse(fs.readFileSync(new URL('./scenarios.json', import.meta.url), 'utf8'))
}

/** A scenario is about what does *not* happen as well: that can only be waited for. */
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/**
 * @param {import('playwright-core').Browser} browser
 * @param {object} scenario
 * @param {string} base URL of the server
 * @returns {Promise<object>} the recording; `driver_error` says why it is not whole
 */
export async function drive (browser, scenario, base) {
  const recording = {
    scenario: scenario.name, note: scenario.note, server: scenario.server || 'cache', html_before: null,
    steps: [], frames: [], events: [], pages: [], sockets: [], console: [], page_errors: [], dom_after: {}
  }
  const clock = { since: Date.now(), last: Date.now(), moved () { this.last = Date.now() } }
  const context = await browser.newContext()
  const pages = {}
  const open = async tab => {
    if (!pages[tab]) {
      pages[tab] = await context.newPage()
      pages[tab].__tab = tab
      await record(recording, pages[tab], tab, clock)
    }
    return pages[tab]
  }
  try {
    await context.exposeBinding('__push', ({ page }, json) => { recording.events.push({ tab: page.__tab, ...JSON.parse(json) }) })
    await context.addInitScript(noteEvents)
    if (scenario.init) await context.addInitScript(scenario.init)
    for (const step of scenario.steps) {
      const done = { ...step }
      recording.steps.push(done)
      await perform(step, done, await open(step.tab || 'A'), base)
      if (step.wait) await pause(step.wait)
      clock.moved()
      await settle(Object.values(pages), clock)
    }
    for (const [tab, page] of Object.entries(pages)) recording.dom_after[tab] = await domOf(page, scenario.dom || 'body')
    await pause(50)
  } catch (error) {
    recording.driver_error = String(error).split('\n')[0]
  } finally {
    await context.close()
  }
  return recording
}

async function perform (step, done, page, base) {
  const element = selector => page.locator(selector).first()
  const connected = async () => {
    await page.waitForFunction(() => document.body.classList.contains('stimulus-reflex-connected'), null, { timeout: CONNECT_TIMEOUT_MS })
      .catch(() => { done.connected = false })
  }
  if (step.goto !== undefined) {
    await page.goto(base + step.goto, { waitUntil: 'load' })
    if (!step.no_cable) await connected()
  }
  if (step.click) await element(step.click).click({ timeout: 3000 })
  if (step.fill) await element(step.fill[0]).fill(step.fill[1])
  if (step.type) await element(step.type[0]).pressSequentially(step.type[1])
  if (step.check) await element(step.check).check()
  if (step.uncheck) await element(step.uncheck).uncheck()
  if (step.select) await element(step.select[0]).selectOption(step.select[1])
  if (step.upload) await element(step.upload[0]).setInputFiles({ name: step.upload[1], mimeType: 'text/plain', buffer: Buffer.from(step.upload[2]) })
  if (step.eval) done.result = await page.evaluate(step.eval)
  if (step.reload) {
    await page.reload({ waitUntil: 'load' })
    await connected()
  }
  if (step.http) {
    const [method, path, data] = step.http
    const response = await page.context().request.fetch(base + path, { method, data })
    done.status = response.status()
    if (step.body) done.result = { headers: response.headers(), body: await response.text() }
  }
  if (step.anon_http) {
    const [method, path] = step.anon_http
    done.status = (await fetch(base + path, { method })).status
  }
}

/** Until no reflex is on its way in any page and no frame passed for a moment, or it lasts too long. */
async function settle (pages, clock) {
  const start = Date.now()
  let connectedSince = start
  await pause(60)
  for (;;) {
    let busy = Date.now() - clock.last < QUIET_MS
    for (const page of pages) {
      busy = await page.evaluate(hasOpenReflex).catch(() => false) || busy
      busy = await page.evaluate(isUnwired).catch(() => false) || busy
      // What waited for the connection has its own time from there on.
      if (await page.evaluate(isDisconnected).catch(() => false)) connectedSince = Date.now()
    }
    if (!busy) return
    if (Date.now() - connectedSince > SETTLE_MAX_MS || Date.now() - start > RECONNECT_MAX_MS) return
    await pause(SETTLE_POLL_MS)
  }
}

/** The client scans for reflexes some twenty milliseconds after a change. */
function isUnwired () {
  return window.StimulusReflex && [...document.querySelectorAll('[data-reflex]')].some(element =>
    !(element.getAttribute('data-action') ?? '').includes('#__perform'))
}

function hasOpenReflex () {
  const open = ['created', 'before', 'delivered', 'queued', 'success']
  return window.StimulusReflex && Object.values(window.StimulusReflex.reflexes.all).some(reflex =>
    open.includes(reflex.stage) && !(reflex.stage === 'success' && reflex.morph === 'nothing'))
}

function isDisconnected () {
  return document.body?.classList.contains('stimulus-reflex-disconnected') ?? false
}

async function domOf (page, selector) {
  return {
    url: page.url(),
    title: await page.title(),
    selector,
    html: await page.evaluate(selector => document.querySelector(selector)?.outerHTML ?? null, selector)
  }
}
