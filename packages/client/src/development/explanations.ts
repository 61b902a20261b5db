/** Things that fail in silence, explained in the console. */
import type { CableReadyOperation, Started } from '../start'
import { named, nearest } from './elements'

/** Ids looked through for one that is nearly the one of a selector. */
const IDS_MAX = 2000

/** Explains operations whose selector matches nothing. */
export function explainMissing ({ CableReady }: Started): void {
  for (const [name, perform] of Object.entries(CableReady.operations)) {
    CableReady.addOperation(name, (operation: CableReadyOperation & { element?: unknown }) => {
      const { element } = operation
      const isMissing = element == null || (element instanceof NodeList && element.length === 0) || (Array.isArray(element) && element.length === 0)
      if (operation.selector && isMissing) console.warn(missing(name, operation.selector, operation.stimulusReflex !== undefined))
      return perform(operation)
    })
  }
}

function missing (operation: string, selector: string, endsReflex: boolean): string {
  const ids = [...document.querySelectorAll('[id]')].slice(0, IDS_MAX).map(element => element.id)
  const near = /^#[\w-]+$/.test(selector) ? nearest(selector.slice(1), ids) : undefined
  const hint = near === undefined
    ? 'Correct the selector, or write the element into the page, empty if need be, so that there is something to change.'
    : `Did you mean \`#${near}\`?`
  const end = endsReflex ? ' Its reflex never ends in this tab: its promise stays open and `success` is not called.' : ''
  return `Sinew: \`${operation}\` did nothing, because \`${selector}\` matches no element of this page.${end} ${hint}`
}

/** Elements whose `data-reflex` was looked at, with the text it had. */
const seen = new WeakMap<Element, string>()

/** Explains elements whose `data-reflex` can never call anything, now and whenever the page changes. */
export function explainReflexes ({ application }: Started): void {
  const schema = application.schema as unknown as { reflexAttribute?: string }
  const attribute = schema.reflexAttribute ?? 'data-reflex'
  const look = (): void => {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      const text = element.getAttribute(attribute) ?? ''
      if (seen.get(element) === text) continue
      seen.set(element, text)
      for (const why of problems(text, element)) console.warn(`Sinew: ${attribute}="${text}" on ${named(element)}: ${why}`, element)
    }
  }
  look()
  new MutationObserver(look).observe(document.documentElement, { attributeFilter: [attribute], childList: true, subtree: true })
}

/** Events that only come from certain elements, and those. */
const SOURCES: { readonly [event: string]: string } = {
  submit: 'form',
  reset: 'form',
  input: 'input, textarea, select, [contenteditable]',
  change: 'input, textarea, select'
}

/** What is wrong with the text of a `data-reflex`. */
export function problems (text: string, element?: Element): string[] {
  const tokens = text.split(/\s+/).filter(token => token !== '')
  if (tokens.length === 0) return ['it is empty. Write `click->Name#action`.']
  if (/\s(->|#)|(->|#)\s/.test(text)) return ['there is a space around `->` or `#`, so it is read as several reflexes. Write `click->Name#action` without spaces.']
  return tokens.flatMap(token => problem(token, element) ?? [])
}

function problem (token: string, element?: Element): string | undefined {
  const [event = '', target, ...rest] = token.split('->')
  if (target === undefined) {
    // An event alone renders the page again.
    if (/^[\w:.@-]+$/.test(event)) return reach(event, element)
    return event.includes('#')
      ? `\`${token}\` names no event. Write \`click->${event.split('>').at(-1)}\`.`
      : `\`${token}\` is no event. Write \`click->Name#action\`.`
  }
  if (event === '') return `\`${token}\` names no event before the arrow. Write \`click->${target}\`.`
  if (rest.length > 0) return `\`${token}\` has two arrows: put a space between two reflexes.`
  if (!/^[^#]+#[^#]+$/.test(target)) return `\`${target}\` is not of the form \`Name#action\`, so the server will not find it.`
  return reach(event, element)
}

/** Whether the event can come from the element or from something inside. */
function reach (event: string, element?: Element): string | undefined {
  const sources = SOURCES[event]
  if (element === undefined || sources === undefined) return undefined
  if (element.matches(sources) || element.querySelector(sources) !== null || element.localName.includes('-')) return undefined
  return `\`${event}\` never comes from here: only ${sources.split(', ').map(name => `<${name}>`).join(', ').replace('<[contenteditable]>', 'an element with `contenteditable`')} sends it, and there is none inside.`
}

/** What to do when the content security policy stops something, by directive: the first that fits. */
const POLICY_ADVICE: ReadonlyArray<readonly [directive: RegExp, blocked: RegExp, advice: string]> = [
  [/^script-src-attr/, /./, 'An `onclick="…"`, or another attribute that is script, is not run. Use `data-reflex` or a Stimulus controller.'],
  [/^script-src/, /^eval$/, 'Something evaluates text as code. A library often has a build that does without.'],
  [/^script-src/, /^inline$/, 'Put the script into a file, or give it the nonce of its response: `<script nonce="…">` with `client.nonce()` of `ClientTags`.'],
  [/^style-src-attr/, /./, 'A `style="…"` attribute is not applied. Put the rule into a stylesheet and give the element a class, or let a script set `element.style`.'],
  [/^style-src/, /^inline$/, 'Put the rules into a stylesheet, or give the element the nonce of its response: `<style nonce="…">` with `client.nonce()` of `ClientTags`.'],
  [/^connect-src/, /^wss?:/, 'If that is the cable, set `SINEW_CABLE_URL` to it, and the policy allows it.'],
  [/^base-uri/, /./, 'A `<base>` element may not lead elsewhere.'],
  [/^object-src/, /./, 'Plugins are not allowed.']
]

/** What was stopped, as the event and the report say it alike. */
interface Violation {
  readonly effectiveDirective: string
  readonly blocked: string
  readonly sourceFile?: string | null
  readonly lineNumber?: number | null
}

/** Explains what the content security policy has stopped. */
export function explainPolicy (): void {
  document.addEventListener('securitypolicyviolation', event => {
    const { effectiveDirective, blockedURI: blocked, sourceFile, lineNumber } = event
    console.warn(stopped({ effectiveDirective, blocked, sourceFile, lineNumber }), event.target)
  })
  // Most of it is stopped while the page is read, before any script is there to hear the event.
  if (typeof ReportingObserver === 'undefined') return
  const before = new ReportingObserver(() => {}, { types: ['csp-violation'], buffered: true })
  before.observe()
  const reports = before.takeRecords()
  before.disconnect()
  for (const { body } of reports) {
    const { effectiveDirective, blockedURL: blocked, sourceFile, lineNumber } = body as unknown as Violation & { blockedURL: string }
    console.warn(stopped({ effectiveDirective, blocked, sourceFile, lineNumber }))
  }
}

function stopped ({ effectiveDirective: directive, blocked, sourceFile, lineNumber }: Violation): string {
  const advice = POLICY_ADVICE.find(([name, what]) => name.test(directive) && what.test(blocked))?.[2] ??
    `If it should be allowed, add it where the application is configured: \`policy.allow("${directive.replace(/-(elem|attr)$/, '')}", "${source(blocked)}")\` of \`ContentSecurityPolicy\`.`
  const where = sourceFile === '' || sourceFile == null ? '' : ` (${sourceFile}:${lineNumber})`
  return `Sinew: the content security policy stopped ${blocked === 'inline' ? 'something inline' : blocked}, by ${directive}${where}. ${advice}`
}

/** What stands for a blocked address in a policy: its host, or its scheme. */
function source (blocked: string): string {
  try {
    const { origin, protocol } = new URL(blocked)
    return origin === 'null' ? protocol : origin
  } catch {
    // The browser says only `data`, `blob` and the like of such addresses.
    return `${blocked}:`
  }
}
