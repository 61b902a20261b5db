// A page of its own for each test, which fails the test when the browser complains.
import assert from 'node:assert/strict'

/**
 * Opens a page with cookies of its own, runs `steps`, and asserts that neither the page's scripts
 * nor the console reported an error meanwhile, that nothing was against a content security policy,
 * and that every page had one in force.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {(page: import('playwright-core').Page, sockets: import('playwright-core').WebSocket[]) => Promise<void>} steps
 * @param {{ expected?: RegExp, plain?: RegExp }} options complaints that belong to what the test does, and the
 *   paths of pages that have no client and so no policy
 */
export async function withPage (browser, steps, { expected = /^$/, plain = /^$/ } = {}) {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const complaints = []
    const complain = text => { if (!expected.test(text)) complaints.push(text) }
    const sockets = []
    const pages = []
    await page.exposeBinding('reportViolation', (_, violation) => complain(violation))
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample, sourceFile, lineNumber }) => {
        window.reportViolation(`violates ${effectiveDirective}: ${blockedURI} ${sample} at ${sourceFile}:${lineNumber}`)
      })
    })
    page.on('response', response => {
      // The page of a failure may be anything, also one without the client.
      const isPage = response.ok() && response.headers()['content-type']?.startsWith('text/html')
      if (isPage && ['document', 'fetch'].includes(response.request().resourceType())) pages.push(response)
    })
    page.on('console', message => {
      const isFavicon = /favicon\.ico/.test(message.location().url)
      if (message.type() === 'error' && !isFavicon) complain(message.text())
    })
    page.on('pageerror', error => complain(String(error)))
    page.on('websocket', socket => sockets.push(socket))
    await steps(page, sockets)
    // Whatever the page has reported before is here when this is.
    await page.evaluate(() => document.readyState)
    assert.deepEqual(complaints, [], 'the browser complained')
    assert.ok(pages.length > 0, 'no page was opened')
    for (const response of pages) if (!plain.test(new URL(response.url()).pathname)) guarded(response)
  } finally {
    await context.close()
  }
}

/** Asserts that a page came with a policy in force, and returns the nonce that it names. */
export function guarded (response) {
  const policy = response.headers()['content-security-policy'] ?? ''
  assert.match(policy, /^default-src 'self'; script-src 'self' /, `${response.url()} has the policy "${policy}"`)
  const [nonce, ...others] = new Set([...policy.matchAll(/'nonce-([\w-]{22})'/g)].map(([, nonce]) => nonce))
  assert.ok(nonce !== undefined && others.length === 0, `one nonce in ${policy}`)
  assert.ok(!policy.includes('unsafe'), policy)
  return nonce
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
