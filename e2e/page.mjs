// A page of its own for each test, which fails the test when the browser complains.
import assert from 'node:assert/strict'

/**
 * Opens a page with cookies of its own, runs `steps`, and asserts that neither the page's scripts
 * nor the console reported an error meanwhile.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {(page: import('playwright-core').Page, sockets: import('playwright-core').WebSocket[]) => Promise<void>} steps
 * @param {{ expected?: RegExp }} options complaints that belong to what the test does
 */
export async function withPage (browser, steps, { expected = /^$/ } = {}) {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const complaints = []
    const sockets = []
    page.on('console', message => {
      const isFavicon = /favicon\.ico/.test(message.location().url)
      if (message.type() === 'error' && !isFavicon && !expected.test(message.text())) complaints.push(message.text())
    })
    page.on('pageerror', error => { if (!expected.test(String(error))) complaints.push(String(error)) })
    page.on('websocket', socket => sockets.push(socket))
    await steps(page, sockets)
    assert.deepEqual(complaints, [], 'the browser complained')
  } finally {
    await context.close()
  }
}

/** Goes to a page and waits until its reflexes can be called. */
export async function visit (page, url) {
  await page.goto(url)
  await connected(page)
}

/** Waits until the client has subscribed: it marks the body then. */
export async function connected (page) {
  await page.waitForSelector('body.stimulus-reflex-connected')
}

/** Waits until the first element that matches has this text. */
export async function shows (page, selector, text) {
  await page.waitForFunction(
    ([selector, text]) => document.querySelector(selector)?.textContent.trim() === text,
    [selector, text], { timeout: 10_000 }
  ).catch(async () => assert.equal((await page.textContent(selector))?.trim(), text, `${selector} on ${page.url()}`))
}
