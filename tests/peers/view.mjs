// ring-client-api, as it is on npm: signs in, uses a camera, watches it. Prints what it saw as JSON.
//
// Run inside examples/with_simulated_ring.py. Its registration for push messages fails there, which it survives.

import { RingApi } from 'ring-client-api'
import { RingRestClient } from 'ring-client-api/rest-client'
import { useLogger } from 'ring-client-api/util'

const PACKETS = 200
const WITHIN = 20_000 // milliseconds
const seen = { errors: [], said: [] }

useLogger({ logInfo() {}, logError: (said) => seen.errors.push(String(said?.message ?? said)) })

async function signIn() {
  const client = new RingRestClient({ email: 'ada@ringlight.test', password: 'ringlight', systemId: 'ringlight-test' })
  await client.getCurrentAuth().catch(() => { seen.asked = client.promptFor2fa })
  const { refresh_token: refreshToken } = await client.getAuth('123456')
  client.clearTimeouts()
  return refreshToken
}

/** Whether an RTP payload begins an IDR picture: whole, first of an aggregate's, or the first fragment (RFC 6184). */
function beginsKeyFrame(payload) {
  const kind = payload[0] & 0x1f
  if (kind === 28) return (payload[1] & 0x80) !== 0 && (payload[1] & 0x1f) === 5
  if (kind !== 24) return kind === 5
  for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at)) {
    if ((payload[at + 2] & 0x1f) === 5) return true
  }
  return false
}

/** Write down what a call says and hears, as the developer tools of a browser do (`_webSocketMessages` of a HAR file). */
function record(call) {
  const { connection } = call
  const note = (type, data) => {
    seen.said.push({ type, time: Date.now() / 1000, opcode: 1, data: JSON.stringify(data) })
  }
  const send = connection.sendMessage.bind(connection)
  connection.sendMessage = (message) => {
    if (!connection.hasEnded) note('send', message)
    send(message)
  }
  connection.onMessage.subscribe((message) => note('receive', message))
}

async function watch(camera) {
  const call = await camera.startLiveCall()
  record(call)
  const counted = { video: 0, audio: 0, keyFrames: 0 }
  let ended = false
  call.onCallEnded.subscribe(() => { ended = true })
  call.onAudioRtp.subscribe(() => { counted.audio += 1 })
  await new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new Error(`only ${JSON.stringify(counted)}`)), WITHIN)
    call.onVideoRtp.subscribe((packet) => {
      counted.video += 1
      if (beginsKeyFrame(packet.payload)) counted.keyFrames += 1
      if (counted.video >= PACKETS && counted.audio && counted.keyFrames > 1) {
        clearTimeout(tooLate)
        resolve()
      }
    })
    call.activateCameraSpeaker()
  })
  call.stop()
  return { ...counted, ended }
}

async function use(api, driveway, door) {
  await driveway.setLight(true)
  await driveway.setSiren(true)
  const { events } = await door.getEvents({ limit: 5 })
  return {
    picture: (await driveway.getSnapshot()).subarray(0, 2).toString('hex'),
    health: (await driveway.getHealth()).latest_signal_category,
    events: events.map((event) => event.kind),
    recording: (await door.getRecordingUrl(events[0].ding_id_str)).split('?')[0],
    transcoded: (await door.getRecordingUrl(events[0].ding_id_str, { transcoded: true })).split('?')[0],
    settings: await driveway.getDeviceSettings(),
    email: (await api.getProfile()).profile.email,
  }
}

const api = new RingApi({ refreshToken: await signIn() })
const cameras = await api.getCameras()
const named = (name) => cameras.find((camera) => camera.name === name)
seen.cameras = cameras.map((camera) => ({ name: camera.name, model: camera.model, battery: camera.batteryLevel }))
seen.locations = (await api.getLocations()).map((location) => location.name)
seen.use = await use(api, named('Driveway'), named('Front Door'))
try {
  seen.watched = await watch(named('Front Door'))
} catch (error) {
  seen.failed = error.message
}
seen.dialogs = (await (await fetch('https://api.ring.com/_sim/dialogs')).json()).dialogs
api.disconnect()
process.stdout.write(JSON.stringify(seen), () => process.exit(0)) // timers of its push receiver would keep it
