// An application and a browser, for the tests of one of its pages: the demo mostly.
import { after, before } from 'node:test'
import { launch } from './browser.mjs'
import { start } from './server.mjs'

/**
 * Starts both before the tests of the calling file and ends them after.
 *
 * @returns {{ browser: import('playwright-core').Browser, url: string }} filled in before the first test
 */
export function demo () {
  return application('demo')
}

/**
 * The same for any application that `start` can start.
 *
 * @param {string} name
 */
export function application (name) {
  const running = {}
  let server
  before(async () => {
    server = await start(name)
    running.url = server.url
    running.browser = await launch()
  })
  after(async () => {
    await running.browser?.close()
    await server?.stop()
  })
  return running
}

/** Waits until every reflex of the page is listened to: the client takes a moment for that after each morph. */
export function ready (page) {
  return page.waitForFunction(
    () => [...document.querySelectorAll('[data-reflex]')].every(element => element.hasAttribute('data-action')),
    null, { timeout: 10_000 }
  )
}

/**
 * Moves the focus with the Tab key until it is on an element that matches, as somebody without a mouse does.
 *
 * @param {import('playwright-core').Page} page
 */
export async function tabTo (page, selector) {
  await ready(page)
  for (let press = 0; press < 100; press++) {
    if (await page.evaluate(selector => document.activeElement.matches(selector), selector)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the Tab key does not lead to ${selector} on ${page.url()}`)
}

/** Waits until the focus is on an element that matches. */
export function focused (page, selector) {
  return page.waitForFunction(selector => document.activeElement.matches(selector), selector, { timeout: 10_000 })
}
