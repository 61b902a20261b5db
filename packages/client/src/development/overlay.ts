/**
 * Problems shown on the page while it is being developed.
 *
 * It lies beside the body, in a shadow root of its own, so that neither morphs nor the page's styles reach it.
 * It never takes the focus: whoever is typing goes on typing. Its styles are made by script and its texts are set as
 * text, so the strictest content security policy lets it be.
 */

/** Problems shown at once; the oldest go first. */
const PROBLEMS_MAX = 5

/** Characters of a problem's text. */
const TEXT_MAX = 4000

/** What went wrong, and what to do about it. */
export interface Problem {
  /** What it is about: a later problem with the same key takes its place. */
  readonly key: string
  readonly title: string
  /** What was said, as it was said. */
  readonly text: string
  /** What to do. */
  readonly advice?: string
  /** Where it happened, by name. */
  readonly details?: ReadonlyArray<readonly [name: string, value: string]>
}

/** A list of problems in the corner of the page; nothing when there is none. */
export class Overlay {
  private readonly host = document.createElement('sinew-development')
  private readonly list = document.createElement('ol')
  private readonly count = document.createElement('p')
  private readonly shown = new Map<string, HTMLElement>()
  private focusBefore: HTMLElement | null = null

  constructor () {
    const root = this.host.attachShadow({ mode: 'open' })
    if ('adoptedStyleSheets' in root) root.adoptedStyleSheets = [styleSheet()]
    const panel = element('section', {
      // A region, and no dialog: the page goes on behind it.
      role: 'region', 'aria-label': 'Problems found in development', tabindex: '0'
    })
    const head = element('header')
    const close = button('Close all', 'Close all problems (Escape)', () => this.clear())
    head.append(this.count, close)
    // What is added is read aloud at once.
    this.list.setAttribute('aria-live', 'assertive')
    this.list.setAttribute('role', 'list')
    panel.append(head, this.list)
    root.append(panel)
    this.host.addEventListener('focusin', event => {
      const from = (event as FocusEvent).relatedTarget
      if (from instanceof HTMLElement && from !== this.host) this.focusBefore = from
    })
    addEventListener('keydown', event => {
      // The page's own use of the key goes first.
      if (event.key === 'Escape' && !event.defaultPrevented && this.shown.size > 0) this.clear()
    })
  }

  /** The keys of the problems on the page. */
  get keys (): string[] {
    return [...this.shown.keys()]
  }

  /** Shows a problem, in place of an earlier one with the same key. */
  show (problem: Problem): void {
    const item = this.item(problem)
    this.shown.get(problem.key)?.remove()
    this.shown.delete(problem.key)
    this.shown.set(problem.key, item)
    for (const key of this.keys.slice(0, -PROBLEMS_MAX)) this.dismiss(key)
    this.list.prepend(item)
    this.recount()
    // A page that replaced its whole document has lost it.
    if (!this.host.isConnected) document.documentElement.append(this.host)
  }

  /** Takes a problem away, if it is there. */
  dismiss (key: string): void {
    const item = this.shown.get(key)
    if (item === undefined) return
    const hadFocus = this.host.shadowRoot?.activeElement ?? null
    item.remove()
    this.shown.delete(key)
    this.recount()
    if (this.shown.size > 0) return
    this.host.remove()
    if (hadFocus !== null && this.focusBefore?.isConnected === true) this.focusBefore.focus()
  }

  /** Takes all problems away. */
  clear (): void {
    this.keys.forEach(key => this.dismiss(key))
  }

  private recount (): void {
    const { size } = this.shown
    this.count.textContent = `Sinew, in development: ${size === 1 ? 'one problem' : `${size} problems`}`
  }

  private item (problem: Problem): HTMLElement {
    const item = element('li')
    const head = element('header')
    head.append(element('h2', {}, problem.title), button('Close', `Close: ${problem.title}`, () => this.dismiss(problem.key)))
    item.append(head, element('pre', {}, shortened(problem.text)))
    if (problem.details !== undefined && problem.details.length > 0) {
      const details = element('dl')
      for (const [name, value] of problem.details) details.append(element('dt', {}, name), element('dd', {}, value))
      item.append(details)
    }
    if (problem.advice !== undefined) item.append(sentence(problem.advice))
    return item
  }
}

function shortened (text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
}

/** A sentence whose parts between backticks are code. */
function sentence (text: string): HTMLElement {
  const made = element('p')
  text.split('`').forEach((part, index) => made.append(index % 2 === 1 ? element('code', {}, part) : part))
  return made
}

function element (name: string, attributes: { [name: string]: string } = {}, text = ''): HTMLElement {
  const made = document.createElement(name)
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value))
  made.textContent = text
  return made
}

function button (text: string, label: string, press: () => void): HTMLElement {
  const made = element('button', { type: 'button', 'aria-label': label, title: label }, text)
  made.addEventListener('click', press)
  return made
}

function styleSheet (): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(`
    :host { all: initial; color-scheme: light dark; }
    section {
      --surface: #fff; --text: #1c1c1f; --quiet: #55555e; --line: #d9d9df; --code: #f4f2f0; --mark: #b3261e; --focus: #0b57d0;
      position: fixed; z-index: 2147483647; inset: auto 1rem 1rem auto; box-sizing: border-box;
      width: min(42rem, calc(100vw - 2rem)); max-height: min(32rem, 60vh); overflow: auto;
      background: var(--surface); color: var(--text); border: 1px solid var(--line); border-top: 4px solid var(--mark);
      border-radius: 8px; box-shadow: 0 8px 32px rgb(0 0 0 / 25%);
      font: 0.9375rem/1.5 system-ui, sans-serif; text-align: start;
    }
    @media (prefers-color-scheme: dark) {
      section { --surface: #1e1e22; --text: #f1f1f4; --quiet: #b4b4be; --line: #45454e; --code: #2a2a30; --mark: #f2857d; --focus: #a8c7fa; }
    }
    header { display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; }
    section > header { position: sticky; top: 0; padding: 0.5rem 1rem; background: var(--surface); border-bottom: 1px solid var(--line); color: var(--quiet); font-size: 0.8125rem; }
    ol { margin: 0; padding: 0; list-style: none; }
    li { padding: 0.75rem 1rem 1rem; }
    li + li { border-top: 1px solid var(--line); }
    h2 { margin: 0; font-size: 1rem; color: var(--mark); overflow-wrap: anywhere; }
    p { margin: 0; }
    pre { margin: 0.5rem 0; padding: 0.5rem 0.75rem; background: var(--code); border-radius: 4px; font: 0.875rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
    code { padding: 0 0.2em; background: var(--code); border-radius: 3px; font: 0.875em ui-monospace, monospace; overflow-wrap: anywhere; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 0.75rem; margin: 0.5rem 0; font-size: 0.875rem; }
    dt { color: var(--quiet); }
    dd { margin: 0; overflow-wrap: anywhere; }
    button { flex: none; font: inherit; font-size: 0.8125rem; min-height: 1.75rem; padding: 0 0.6rem; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
    button:hover { background: var(--code); }
    :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
    @media (max-width: 40rem) { section { inset: auto 0.5rem 0.5rem; width: auto; } }
    @media print { section { display: none; } }
  `)
  return sheet
}
