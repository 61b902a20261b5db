// The one way this project starts Chromium.
import { chromium } from 'playwright-core'

const FLAGS = [
  // Containers run as root and have no GPU; the rest keeps the browser from calling home.
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-proxy-server'
]

/**
 * @param {{ hosts?: string[] }} options `hosts`: names that lead to this machine, in this browser only
 */
export function launch ({ hosts = [] } = {}) {
  const rules = hosts.map(host => `MAP ${host} 127.0.0.1`).join(', ')
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: rules ? [...FLAGS, `--host-resolver-rules=${rules}`] : FLAGS
  })
}
