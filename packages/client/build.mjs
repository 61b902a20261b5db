// Bundles the browser client: node build.mjs [--out DIR] [--entry NAME=FILE ...]
//
// Without --entry it makes sinew.js (with its source map) and LICENSES.txt from src/index.ts.
// With --entry it bundles other files against the same packages; the reference application does.
// `cargo xtask client` and the facade's build script run it: the hash of the inputs is theirs to keep.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as esbuild from 'esbuild'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: { out: { type: 'string' }, entry: { type: 'string', multiple: true } }
})
const out = path.resolve(values.out ?? path.join(here, 'dist'))
const entries = (values.entry ?? []).map(entry => {
  const [name, ...file] = entry.split('=')
  return { in: path.resolve(file.join('=')), out: name }
})
const isClient = entries.length === 0

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: isClient ? [{ in: 'src/index.ts', out: 'sinew' }] : entries,
  bundle: true,
  format: 'iife',
  target: 'es2020',
  minify: true,
  // The server adds the address of the map, since it is the server that names the files.
  sourcemap: isClient ? 'external' : false,
  legalComments: 'external',
  // Entries that lie outside this folder resolve packages here.
  nodePaths: [path.join(here, 'node_modules')],
  outdir: out,
  metafile: true,
  write: false,
  logLevel: 'warning'
})

fs.mkdirSync(out, { recursive: true })
const comments = []
for (const file of result.outputFiles) {
  if (file.path.endsWith('.LEGAL.txt')) comments.push(file.text)
  else fs.writeFileSync(file.path, file.contents)
}
if (isClient) fs.writeFileSync(path.join(out, 'LICENSES.txt'), licenses(result.metafile, comments))

/** The licence text of every package that has a byte in the bundle, and the notices inside them. */
function licenses (metafile, comments) {
  const names = new Set()
  for (const file of Object.keys(metafile.inputs)) {
    const inside = file.split('node_modules/').at(-1)
    if (inside === file) continue
    const parts = inside.split('/')
    names.add(parts[0].startsWith('@') ? parts.slice(0, 2).join('/') : parts[0])
  }
  const chapters = [...names].sort().map(name => {
    const folder = path.join(here, 'node_modules', name)
    const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const shipped = fs.readdirSync(folder).find(file => /^licen[cs]e/i.test(file))
    const kept = path.join(here, 'licenses', name.replace('@', '').replace('/', '-') + '.txt')
    const text = shipped ? path.join(folder, shipped) : kept
    if (!fs.existsSync(text)) throw new Error(`${name} ships no licence text: put one at ${path.relative(here, kept)}`)
    return `${name} ${version} (${license})\n\n${fs.readFileSync(text, 'utf8').trim()}\n`
  })
  const notices = `Notices inside the sources\n\n${comments.join('\n').trim()}\n`
  return [...chapters, notices].join(`\n${'-'.repeat(80)}\n\n`)
}
