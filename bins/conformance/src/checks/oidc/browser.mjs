// Signs in with headless Chromium and the npm package oidc-client-ts, on a page at the server's own
// address as ownCloud Web has it: the sign-in page, being sent back with a code, tokens, userinfo,
// silent renewal in a frame and by refresh token, signing out. With SHOTS, pictures of all pages go
// there. Says "ok" at the end; any other end is a failure.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { chromium } from 'playwright-core'

const issuer = process.env.ISSUER
const person = { username: process.env.PERSON, password: process.env.PASSWORD }
const shots = process.env.SHOTS

const library = readFileSync(new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.js', import.meta.url))

const app = `<!DOCTYPE html><title>app</title><script src="/oidc-client-ts.js"></script><script>
  const manager = new oidc.UserManager({
    authority: '${issuer}',
    client_id: 'web',
    redirect_uri: '${issuer}/oidc-callback.html',
    silent_redirect_uri: '${issuer}/oidc-silent-redirect.html',
    post_logout_redirect_uri: '${issuer}/',
    response_type: 'code',
    scope: 'openid profile email offline_access',
    loadUserInfo: true,
    automaticSilentRenew: false,
  })
  const ready = location.pathname === '/oidc-callback.html' ? manager.signinCallback()
    : location.pathname === '/oidc-silent-redirect.html' ? manager.signinSilentCallback()
    : Promise.resolve()
</script>`

// The server's public address: a reverse proxy with TLS that adds the page.
const upstream = new URL(process.env.UPSTREAM)
const pages = ['/', '/oidc-callback.html', '/oidc-silent-redirect.html']
const front = https.createServer({ key: readFileSync(process.env.KEY), cert: readFileSync(process.env.CERT) },
  (request, response) => {
    const { pathname } = new URL(request.url, issuer)
    if (pages.includes(pathname)) return response.setHeader('content-type', 'text/html').end(app)
    if (pathname === '/oidc-client-ts.js') {
      return response.setHeader('content-type', 'text/javascript').end(library)
    }
    const { method, headers, url: path } = request
    const options = { hostname: upstream.hostname, port: upstream.port, method, headers, path }
    const passed = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(response)
    })
    request.pipe(passed)
  })
await new Promise((done) => front.listen(new URL(issuer).port, '127.0.0.1', done))

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

async function desk(options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-US', ...options })
  const page = await context.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy|Refused/.test(message.text())) problems.push(message.text())
  })
  return { context, page, problems }
}

async function shot(page, name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png` })
}

async function signIn() {
  const { context, page, problems } = await desk()
  await page.goto(`${issuer}/`)
  await page.evaluate(() => { manager.signinRedirect() })
  await page.waitForURL(/\/signin\/v1\/identifier\?/)
  assert.equal(await page.title(), 'Sign in')
  await page.waitForFunction(() => document.activeElement.id === 'username')
  // By keyboard alone, wrong at first.
  await page.keyboard.type(person.username)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.id), 'password')
  await page.keyboard.type('wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  assert.match(await page.getByRole('alert').textContent(), /wrong/)
  await shot(page, 'sign-in-wrong')
  assert.equal(await page.getByLabel('User name').inputValue(), person.username)
  await page.waitForFunction(() => document.activeElement.id === 'password')
  await page.getByLabel('Password').fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/oidc-callback\.html/)
  await page.waitForFunction(() => typeof ready !== 'undefined')
  const user = await page.evaluate(async () => {
    const user = await ready
    return { profile: user.profile, access: user.access_token, refresh: user.refresh_token }
  })
  assert.equal(user.profile.preferred_username, person.username)
  assert.ok(user.access && user.refresh)

  // Silently by refresh token, then in a frame, where only the session counts.
  const renewed = await page.evaluate(async () => (await manager.signinSilent()).access_token)
  assert.notEqual(renewed, user.access)
  const framed = await page.evaluate(async () => {
    const user = await manager.getUser()
    delete user.refresh_token
    await manager.storeUser(user)
    return (await manager.signinSilent()).access_token
  })
  assert.notEqual(framed, renewed)
  assert.equal(await page.evaluate(async () => (await manager.querySessionStatus()).sub), user.profile.sub)

  // A page of ours tells the client whether the session is still the same.
  const ask = () => page.evaluate(async () => {
    const state = window.state ??= (await manager.getUser()).session_state
    const frame = document.createElement('iframe')
    frame.src = `${manager.settings.authority}/konnect/v1/session/check-session.html`
    const loaded = new Promise((done) => { frame.onload = done })
    document.body.append(frame)
    await loaded
    const answer = new Promise((done) => addEventListener('message', (event) => {
      if (event.source === frame.contentWindow) done(event.data)
    }))
    frame.contentWindow.postMessage(`web ${state}`, manager.settings.authority)
    return answer
  })
  assert.equal(await ask(), 'unchanged')
  const state = await page.evaluate(() => window.state)

  const webdav = await page.evaluate(async (access) => {
    const path = '/dav/files/' + (await manager.getUser()).profile.preferred_username + '/'
    const headers = { authorization: `Bearer ${access}`, depth: '0', 'x-requested-with': 'XMLHttpRequest' }
    return (await fetch(path, { method: 'PROPFIND', headers })).status
  }, framed)
  assert.equal(webdav, 207)

  await page.evaluate(() => { manager.signoutRedirect() })
  await page.waitForURL(`${issuer}/`)
  await page.waitForFunction(() => typeof manager !== 'undefined')
  const silent = await page.evaluate(() =>
    manager.signinSilent({ prompt: 'none' }).then(() => 'signed in', (error) => error.error))
  assert.equal(silent, 'login_required')
  await page.evaluate((state) => { window.state = state }, state)
  assert.equal(await ask(), 'changed')
  assert.deepEqual(problems, [])
  await context.close()
}

// The desktop client waits on a loopback port for the browser, which it opens.
async function desktop() {
  const { context, page, problems } = await desk()
  const server = http.createServer((request, response) => response.end('you can close this window'))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const redirect = `http://127.0.0.1:${server.address().port}`
  const query = new URLSearchParams({
    client_id: 'xdXOt13JKxym1B1QcEncf2XDkLAexMBFwiT9j6EfhhHFJhs2KM9jbjTmf8JBXE69',
    redirect_uri: redirect, response_type: 'code', scope: 'openid offline_access email profile',
    prompt: 'select_account consent', code_challenge_method: 'S256', login_hint: person.username,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', state: 'x',
  })
  await page.goto(`${issuer}/signin/v1/identifier/_/authorize?${query}`)
  assert.match(await page.locator('main').textContent(), /ownCloud desktop app/)
  await page.waitForFunction(() => document.activeElement.id === 'password')
  await page.keyboard.type(person.password)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${redirect}/?code=*`)
  assert.deepEqual(problems, [])
  await context.close()
  server.closeAllConnections()
  server.close()
}

// Another client, which people are asked about; then signing out on our own pages.
async function consent() {
  const { context, page, problems } = await desk({ locale: 'de-DE' })
  await context.route('https://other.example/**', (route) => route.fulfill({ body: 'there' }))
  const query = new URLSearchParams({
    client_id: 'other', redirect_uri: 'https://other.example/cb', response_type: 'code',
    scope: 'openid profile email offline_access', code_challenge_method: 'S256',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', state: 'x',
  })
  await page.goto(`${issuer}/signin/v1/identifier/_/authorize?${query}`)
  assert.equal(await page.title(), 'Anmelden')
  await shot(page, 'sign-in-de')
  await page.getByLabel('Benutzername').fill(person.username)
  await page.getByLabel('Passwort').fill(person.password)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/signin\/v1\/consent\?/)
  await shot(page, 'consent-de')
  await page.getByRole('button', { name: 'Erlauben', exact: true }).click()
  await page.waitForURL(/other\.example\/cb\?code=/)
  await page.goto(`${issuer}/signin/v1/welcome`)
  await shot(page, 'welcome-de')
  await page.goto(`${issuer}/signin/v1/identifier/_/endsession`)
  await shot(page, 'sign-out-de')
  await page.getByRole('button', { name: 'Abmelden' }).click()
  await page.waitForURL(/\/signin\/v1\/goodbye/)
  await shot(page, 'goodbye-de')
  assert.deepEqual(problems, [])
  await context.close()
}

async function looks() {
  for (const [name, options] of [
    ['wide', { viewport: { width: 1280, height: 800 } }],
    ['dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
    ['narrow', { viewport: { width: 360, height: 640 } }],
    ['narrow-dark', { viewport: { width: 360, height: 640 }, colorScheme: 'dark' }],
    ['no-script', { viewport: { width: 1280, height: 800 }, javaScriptEnabled: false }],
  ]) {
    const { context, page } = await desk(options)
    const query = new URLSearchParams({
      client_id: 'web', redirect_uri: `${issuer}/`, response_type: 'code', scope: 'openid',
    })
    await page.goto(`${issuer}/signin/v1/identifier/_/authorize?${query}`)
    await shot(page, `sign-in-${name}`)
    // Nothing is wider than the window.
    if (options.javaScriptEnabled !== false) {
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(over <= 0, `${name}: ${over} pixels too wide`)
    }
    await page.goto(`${issuer}/signin/v1/identifier?client_id=nobody`)
    await shot(page, `error-${name}`)
    await page.goto(`${issuer}/signin/v1/goodbye`)
    await shot(page, `goodbye-${name}`)
    await context.close()
  }
}

try {
  await signIn()
  await desktop()
  await consent()
  await looks()
  console.log('ok')
} finally {
  await browser.close()
  front.closeAllConnections()
  front.close()
}
