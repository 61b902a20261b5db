// Bundles the browser client: node build.mjs [--out DIR] [--package | --entry NAME=FILE ...]
//
// Without --entry it makes sinew.js (with its source map, and compressed) and LICENSES.txt from src/index.ts,
// and sinew-development.js.
// With --package it also makes the modules that the npm package exports, which import the other packages.
// With --entry it bundles other files against the same packages; the reference application does.
// `cargo xtask client` and the facade's build script run it: the hash of the inputs is theirs to keep.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import zlib from 'node:zlib'
import * as esbuild from 'esbuild'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({
  options: { out: { type: 'string' }, package: { type: 'boolean' }, entry: { type: 'string', multiple: true } }
})
const out = path.resolve(values.out ?? path.join(here, 'dist'))
const entries = (values.entry ?? []).map(entry => {
  const [name, ...file] = entry.split('=')
  return { in: path.resolve(file.join('=')), out: name }
})
const isClient = entries.length === 0
const { version } = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8'))

const common = {
  absWorkingDir: here,
  bundle: true,
  target: 'es2020',
  // A bundle is the same whatever settings of a type checker lie about.
  tsconfigRaw: '{}',
  outdir: out,
  logLevel: 'warning'
}
/** What the script says to the server: that it comes from the server itself, or the package's own version. */
const define = saying => ({ SINEW_VERSION: JSON.stringify(saying) })
const result = await esbuild.build({
  ...common,
  define: define(`${version}+embedded`),
  entryPoints: isClient ? [{ in: 'src/index.ts', out: 'sinew' }] : entries,
  format: 'iife',
  minify: true,
  // The address of the map is added below: it is that of the server, not that of a file here.
  sourcemap: isClient ? 'external' : false,
  legalComments: 'external',
  // Entries that lie outside this folder resolve packages here.
  nodePaths: [path.join(here, 'node_modules')],
  metafile: true,
  write: false
})

fs.mkdirSync(out, { recursive: true })
const comments = []
for (const file of result.outputFiles) {
  if (file.path.endsWith('.LEGAL.txt')) comments.push(file.text)
  else fs.writeFileSync(file.path, file.contents)
}
if (isClient) {
  fs.writeFileSync(path.join(out, 'LICENSES.txt'), licenses(result.metafile, comments))
  finish(path.join(out, 'sinew.js'))
  // Read by developers and sent to nobody else: as it was written, with no need of a map.
  await esbuild.build({ ...common, entryPoints: [{ in: 'src/development/index.ts', out: 'sinew-development' }], format: 'iife' })
}
if (isClient && values.package) {
  // Their names hold a hash, so those of an earlier build would stay.
  for (const file of fs.readdirSync(out)) if (/^shared-.*\.js$/.test(file)) fs.rmSync(path.join(out, file))
  await esbuild.build({
    ...common,
    define: define(version),
    // Chunks hold what several share, so that a page that loads two of them starts once.
    entryPoints: [
      { in: 'src/start.ts', out: 'start' },
      { in: 'src/index.ts', out: 'auto' },
      { in: 'src/development/develop.ts', out: 'development' }
    ],
    chunkNames: 'shared-[hash]',
    format: 'esm',
    splitting: true,
    packages: 'external'
  })
  // The licence of what is ours, which lies at the root of the checkout.
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) {
    fs.copyFileSync(path.join(here, '../..', name), path.join(out, name))
  }
}

/**
 * Names the script's companions by the addresses they are served at, which hold the script's own hash;
 * compresses it as well as can be, since that is done once; and says how large it is.
 *
 * The build script of the crate that embeds it reads the hash from the last line.
 */
function finish (file) {
  const bare = fs.readFileSync(file)
  const fingerprint = createHash('sha256').update(bare).digest('hex').slice(0, 12)
  const companions = `/*! licences: client-${fingerprint}.txt */\n//# sourceMappingURL=client-${fingerprint}.js.map\n`
  const script = Buffer.concat([bare, Buffer.from(companions)])
  const gzip = zlib.gzipSync(script, { level: 9 })
  const brotli = zlib.brotliCompressSync(script)
  fs.writeFileSync(file, script)
  fs.writeFileSync(`${file}.gz`, gzip)
  fs.writeFileSync(`${file}.br`, brotli)
  console.log(`sinew.js: ${script.length} bytes minified, ${gzip.length} with gzip, ${brotli.length} with brotli`)
}

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
