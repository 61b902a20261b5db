/** Reflexes that failed, shown until they go well. */
import type { Started } from '../start'
import { named } from './elements'
import type { Overlay, Problem } from './overlay'

interface Reflex {
  readonly target: string
  readonly element: Element | null
  readonly data?: { readonly selectors?: readonly string[], readonly url?: string }
}

interface Performed {
  readonly name?: string
  readonly error?: string
  readonly selector?: string
  readonly stimulusReflex?: { readonly id?: string }
}

/** What the server's words mean for whoever wrote the reflex: the first that fits. */
const MEANINGS: ReadonlyArray<readonly [words: RegExp, title: (target: string) => string, advice: string]> = [
  [/no reflex of that name is registered/, target => `Unknown reflex: ${target}`,
    'Correct the name in `data-reflex`, or register the reflex where the application is built: `Sinew::new(router).reflex(Name)`.'],
  [/is not defined on class/, target => `Unknown action: ${target}`,
    'Correct the action in `data-reflex`, or add `async fn action(&self, cx: &mut Reflex) -> Result` to the `impl` marked with `#[reflex]`.'],
  [/is not of the form Class#action/, target => `Malformed target: ${target}`,
    'Write `data-reflex="click->Name#action"`: an event, an arrow, the reflex, a hash sign, the action.'],
  [/^wrong number of arguments/, target => `Wrong arguments: ${target}`,
    'Give `stimulate` as many arguments as the action has after `cx`; those that may be missing are `Option`.'],
  [/^(the )?page /, target => `The page failed after ${target}`,
    'The reflex itself went well. Its morph renders the page again, and that failed: load the page to see its own error, or look into the server’s log.'],
  [/ panicked: /, target => `Panic in ${target}`,
    'The server’s log says in which file and line.'],
  [/ took longer than /, target => `Too slow: ${target}`,
    'Let a task of its own do the work and broadcast what it finds, or give the action more time: `#[action(timeout = "30s")]`.'],
  [/version mismatch/, target => `Another StimulusReflex: ${target}`,
    'The page’s stimulus_reflex package is not the version the server answers. Install that one, or use the script of `ClientTags`.']
]

/** Shows reflexes that fail, and takes each away when it goes well. */
export function showFailures ({ StimulusReflex }: Started, overlay: Overlay): void {
  const reflexOf = (event: Event): readonly [Reflex, Performed] | undefined => {
    const performed = (event as CustomEvent<Performed>).detail ?? {}
    const id = performed.stimulusReflex?.id
    const reflex = id === undefined ? undefined : StimulusReflex.reflexes[id] as Reflex | undefined
    return reflex === undefined ? undefined : [reflex, performed]
  }
  const ended = (event: Event): void => {
    const found = reflexOf(event)
    if (found === undefined) return
    const [reflex, { name, error }] = found
    if (name === 'stimulus-reflex:morph-error') overlay.show(failure(reflex, error ?? 'The server did not say why.'))
    else overlay.dismiss(key(reflex))
    if (name === 'stimulus-reflex:morph-forbidden') {
      console.info(`Sinew: ${reflex.target} was forbidden: by a \`before\` callback, or because the page answered 401 or 403 when it was rendered for the morph.`, reflex.element)
    }
  }
  for (const type of ['dispatch-event', 'morph', 'inner-html']) document.addEventListener(`cable-ready:after-${type}`, ended)
}

function key ({ target }: Reflex): string {
  return `reflex:${target}`
}

function failure (reflex: Reflex, text: string): Problem {
  const [, title, advice] = MEANINGS.find(([words]) => words.test(text)) ?? [undefined, (target: string) => `Reflex failed: ${target}`,
    'The server’s log has the same line. In production the visitor hears a general sentence instead; `Error::visible` gives an error one of its own.']
  const selectors = reflex.data?.selectors ?? []
  const details: Array<readonly [string, string]> = [['Page', reflex.data?.url ?? location.href]]
  if (reflex.element !== null) details.push(['Called by', named(reflex.element)])
  if (selectors.length > 0) details.push(['To morph', selectors.join(', ')])
  return { key: key(reflex), title: title(reflex.target), text, advice, details }
}
