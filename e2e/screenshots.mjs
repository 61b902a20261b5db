// Pictures of every page of the demo, for people to look at: `node screenshots.mjs`, in `screenshots/`.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { launch } from './browser.mjs'
import { ready } from './demo.mjs'
import { shows, visit } from './page.mjs'
import { start } from './server.mjs'

const WIDTHS = [390, 1280]
const folder = fileURLToPath(new URL('screenshots/', import.meta.url))

/** Each page, and what is done there so that there is something to see. */
const PAGES = {
  counter: ['/', async page => { await page.click('#by-ten'); await shows(page, '#count', '10') }],
  todos: ['/todos', async page => {
    for (const [index, title] of ['Boil water', 'Warm the pot', 'Pour, wait, and do not look at the clock meanwhile'].entries()) {
      await ready(page)
      await page.fill('#new-todo', title)
      await page.keyboard.press('Enter')
      await page.waitForSelector(`#todo-${index + 1}`)
    }
    await ready(page)
    await page.click('#toggle-1')
    await shows(page, '#left', '2 items left')
  }],
  search: ['/search', async page => { await page.fill('#q', 'land'); await shows(page, '#found', '8 of 48') }],
  form: ['/form', async page => {
    await page.fill('#name', 'Ada')
    await page.fill('#email', 'ada')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#email-problem')
  }],
  chat: ['/chat', async page => {
    await page.fill('#name', 'Ada')
    for (const text of ['Is anybody here?', 'It is me, in the other browser.']) {
      await page.fill('#text', text)
      await page.keyboard.press('Enter')
      await page.waitForSelector(`#messages >> text=${text}`)
    }
  }],
  job: ['/job', async page => { await page.click('#start'); await page.waitForFunction(() => document.querySelector('#progress').value > 5) }],
  table: ['/table', async page => { await page.click('#sort-name'); await shows(page, 'tbody th', 'Aluminium') }],
  wire: ['/wire', async page => { await page.click('#by-selector'); await shows(page, '#clicks', '1') }]
}

fs.mkdirSync(folder, { recursive: true })
const server = await start('demo')
const browser = await launch()
try {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of WIDTHS) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme })
      const page = await context.newPage()
      for (const [name, [path, act]] of Object.entries(PAGES)) {
        await visit(page, server.url + path)
        await act(page)
        await page.screenshot({ path: `${folder}${name}-${width}-${colorScheme}.png`, fullPage: true })
      }
      await context.close()
    }
  }
} finally {
  await browser.close()
  await server.stop()
}
console.log(`pictures in ${folder}`)
