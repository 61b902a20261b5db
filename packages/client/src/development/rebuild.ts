/**
 * After a rebuild: the open page becomes what the new program renders, and keeps what was typed into it.
 *
 * The page is fetched again and morphed as a page morph does. A connection that comes back to the same process
 * touches nothing.
 */
import { type Control, dirtyControls, editedElements, holdsInput } from '../forms'
import type { AboutServer, Started } from '../start'
import type { Overlay } from './overlay'

/** Follows the server's process, and renews the page when it is another one, or says that the page has changed. */
export function followRebuilds (started: Started, overlay: Overlay): void {
  let boot = started.server?.boot
  // What comes first on a new connection names the process; what comes later asks for the page as it is now.
  let isGreeting = boot === undefined
  let latest = 0
  document.addEventListener('stimulus-reflex:connected', () => { isGreeting = true })
  document.addEventListener('sinew:server', event => {
    const next = (event as CustomEvent<AboutServer>).detail.boot
    if (next === undefined) return
    const isAnother = boot !== undefined && next !== boot
    if (isGreeting || boot === undefined) boot = next
    isGreeting = false
    if (!isAnother) return
    const turn = ++latest
    void rebuild(started, overlay, () => turn === latest)
  })
}

async function rebuild (started: Started, overlay: Overlay, isLatest: () => boolean): Promise<void> {
  const address = new URL(location.href)
  address.hash = ''
  let response: Response
  let html: string
  try {
    response = await fetch(address, { headers: { accept: 'text/html' }, cache: 'no-store' })
    html = await response.text()
  } catch {
    // Gone again already. The next one that answers is another process too.
    return
  }
  // The visitor went elsewhere meanwhile, or another rebuild was quicker.
  if (!isLatest() || address.pathname + address.search !== location.pathname + location.search) return
  const problem = (text: string, advice: string): void => {
    overlay.show({ key: 'rebuild', title: 'The page was not renewed after the rebuild', text, advice, details: [['Page', address.href]] })
  }
  if (!response.ok) {
    problem(`${response.status} ${response.statusText}\n${html}`.trim(), 'What is on the page comes from the program before. Mend the handler; the page follows with the next rebuild.')
    return
  }
  if (response.redirected || !(response.headers.get('content-type') ?? '').includes('html')) {
    problem(response.redirected ? `It redirects to ${response.url}` : 'It is no HTML any more', 'What is on the page comes from the program before. Load the page again to follow.')
    return
  }
  overlay.clear()
  const next = new DOMParser().parseFromString(html, 'text/html')
  if (scripts(next).some(address => !scripts(document).includes(address))) {
    if (!holdsInput()) {
      location.reload()
      return
    }
    console.info('Sinew: the page’s scripts have changed. Nothing was loaded again, because that would lose what was typed: load the page again when that is done.')
  }
  restyle(next)
  if (next.title !== document.title) document.title = next.title
  // A browser hides a nonce once it has read it: what is compared has none either.
  next.body.querySelectorAll('[nonce]').forEach(element => element.setAttribute('nonce', ''))
  morph(started, next.body.innerHTML)
  document.dispatchEvent(new CustomEvent('sinew:rebuilt'))
  console.info('Sinew: the page was renewed after a rebuild.')
}

/** The addresses of a document's scripts. */
function scripts (from: Document): string[] {
  return [...from.querySelectorAll('script[src]')].map(script => absolute(script.getAttribute('src')))
}

/** What a fetched document names, it names relative to this page. */
function absolute (address: string | null): string {
  return new URL(address ?? '', document.baseURI).href
}

/** Loads stylesheets whose address is new, and then takes away those that the page no longer names. */
function restyle (next: Document): void {
  const links = (from: Document): HTMLLinkElement[] => [...from.querySelectorAll<HTMLLinkElement>('head link[rel~="stylesheet"][href]')]
  const wanted = new Map(links(next).map(link => [absolute(link.getAttribute('href')), link]))
  const present = links(document)
  const known = new Set(present.map(link => link.href))
  const old = present.filter(link => !wanted.has(link.href))
  // Nonces are of a response: those of the new one mean nothing to the policy of this page.
  const nonce = document.querySelector<HTMLElement>('[nonce]')?.nonce
  const loaded = [...wanted].filter(([address]) => !known.has(address)).map(([address, link]) => {
    const added = document.importNode(link)
    if (nonce !== undefined) added.nonce = nonce
    added.href = address
    const done = new Promise(resolve => { added.onload = added.onerror = resolve })
    ;(present.at(-1) ?? document.head.lastChild)?.after(added)
    return done
  })
  // Until the new ones are there the old ones stay, so that the page is never bare.
  void Promise.all(loaded).then(() => old.forEach(link => link.remove()))
  const styles = (from: Document): HTMLStyleElement[] => [...from.querySelectorAll<HTMLStyleElement>('head style')]
  const before = styles(document)
  const after = styles(next)
  if (before.length !== after.length) return
  before.forEach((style, index) => {
    const text = after[index]!.textContent
    if (style.textContent !== text) style.textContent = text
  })
}

function morph ({ application, CableReady }: Started, html: string): void {
  const held = dirtyControls().map(hold)
  const edited = new Set<Element>(editedElements())
  const focused = document.activeElement
  const callback = (_: object, from: Element, to: Element): boolean => {
    // A file cannot be chosen again by script, nor can what was typed into an editable element.
    if (from instanceof HTMLInputElement && from.type === 'file' && (from.files?.length ?? 0) > 0) return false
    if (edited.has(from)) return false
    // What was opened stays open.
    if (from.matches('details[open], dialog[open]')) to.setAttribute('open', '')
    return true
  }
  const schema = application.schema as unknown as { reflexPermanentAttribute?: string }
  CableReady.shouldMorphCallbacks.push(callback)
  try {
    CableReady.perform([{
      operation: 'morph',
      selector: 'body',
      html,
      childrenOnly: true,
      permanentAttributeName: schema.reflexPermanentAttribute ?? 'data-reflex-permanent'
    }])
  } finally {
    CableReady.shouldMorphCallbacks.splice(CableReady.shouldMorphCallbacks.indexOf(callback), 1)
  }
  held.forEach(restore => restore())
  if (focused instanceof HTMLElement && !focused.isConnected && focused.id !== '') document.getElementById(focused.id)?.focus()
}

/** Keeps what a control holds; gives what puts it back, into the same control or the one that took its place. */
function hold (control: Control): () => void {
  const find = place(control)
  if (control instanceof HTMLSelectElement) {
    const selected = new Set([...control.selectedOptions].map(option => option.value))
    return () => {
      const now = find()
      if (!(now instanceof HTMLSelectElement)) return
      const options = [...now.options]
      // An option that is gone cannot be chosen: then the page's own choice stands.
      if (options.some(option => selected.has(option.value))) options.forEach(option => { option.selected = selected.has(option.value) })
    }
  }
  if (control instanceof HTMLInputElement && (control.type === 'checkbox' || control.type === 'radio')) {
    const { checked } = control
    return () => {
      const now = find()
      if (now instanceof HTMLInputElement) now.checked = checked
    }
  }
  const { value } = control
  const selection = document.activeElement === control ? [control.selectionStart, control.selectionEnd] as const : undefined
  return () => {
    const now = find()
    if (now === undefined || now instanceof HTMLSelectElement || now.type === 'file' || now.value === value) return
    now.value = value
    if (selection !== undefined && selection[0] !== null && document.activeElement === now) now.setSelectionRange(...selection)
  }
}

/** How to find a control again: itself, else by its id, else by its name in the same form. */
function place (control: Control): () => Control | undefined {
  const { id, name, tagName, type } = control
  const form = control.form === null ? -1 : [...document.forms].indexOf(control.form)
  const isSame = (found: unknown): found is Control => found instanceof Element && found.tagName === tagName && (found as Control).type === type
  return () => {
    if (control.isConnected) return control
    const byId = id === '' ? null : document.getElementById(id)
    if (isSame(byId)) return byId
    const byName = name === '' || form === -1 ? null : document.forms[form]?.elements.namedItem(name)
    return isSame(byName) ? byName : undefined
  }
}
