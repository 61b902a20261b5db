// What axe-core finds wrong with a page as it stands.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'

const source = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * Asserts that axe-core finds nothing, in the light and in the dark.
 *
 * @param {import('playwright-core').Page} page
 */
export async function accessible (page) {
  // By the debugger, so that no content security policy is in the way.
  await page.evaluate(source)
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await page.evaluate(() => window.axe.run())
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' | ')}`)
    assert.deepEqual(found, [], `axe-core on ${page.url()}, ${colorScheme}`)
  }
}
