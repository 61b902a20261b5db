// What an application writes in TypeScript; that this compiles, and the marked lines do not, is the test.
import { type AboutServer, Application, Controller, start, type Started } from 'sinew-client'
import { develop, type Problem } from 'sinew-client/development'

const running: Started = start({ application: Application.start(), cableUrl: '/cable', debug: true })
running.application.register('chart', class extends Controller {})

const room = running.consumer.subscriptions.create({ channel: 'RoomChannel', id: 7 }, {
  said: [] as string[],
  received (message) {
    this.said.push(message.text)
    this.perform('seen', { id: message.id })
  }
})
room.said.map(text => text.length)
const open: boolean = room.send({ text: 'hello' })
running.CableReady.perform([{ operation: 'innerHtml', selector: '#a', html: String(open) }])
running.StimulusReflex.debug = true
running.Turbo.visit('/next', { action: 'replace' })

const about: AboutServer | undefined = running.server
const boot: string = about?.boot ?? running.version
const problem: Problem = { key: 'boot', title: 'Another process', text: boot, details: [['Before', 'one']] }
develop(running).show(problem)

// @ts-expect-error the address is a text
start({ cableUrl: 7 })
// @ts-expect-error there is no such option
start({ cable: '/cable' })
// @ts-expect-error a channel has a name
running.consumer.subscriptions.create({ id: 7 })
// @ts-expect-error what was started stays
running.consumer = room.consumer
// @ts-expect-error a problem has a title
develop(running).show({ key: 'none', text: '' })
