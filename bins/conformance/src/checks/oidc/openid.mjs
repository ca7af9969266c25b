// Completes the flows of the provider with the npm package openid-client: discovery, code with
// PKCE, tokens, userinfo, refresh, signing out. The browser in between is played by `fetch` and a
// few cookies. Says "ok" at the end; any other end is a failure.

import assert from 'node:assert/strict'
import * as client from 'openid-client'

const issuer = new URL(process.env.ISSUER)
const person = { username: process.env.PERSON, password: process.env.PASSWORD }

const jar = new Map()

async function browse(url, options = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { ...options.headers, cookie }
  const response = await fetch(url, { ...options, headers, redirect: 'manual' })
  for (const line of response.headers.getSetCookie()) {
    const [pair] = line.split(';')
    const at = pair.indexOf('=')
    if (line.includes('Max-Age=0')) jar.delete(pair.slice(0, at))
    else jar.set(pair.slice(0, at), pair.slice(at + 1))
  }
  return response
}

const unescape = (text) =>
  text.replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')

// Signs in on the page that the address leads to; returns where the browser is sent.
async function signIn(url) {
  let response = await browse(url)
  assert.equal(response.status, 302)
  const page = new URL(response.headers.get('location'), url)
  if (page.pathname !== '/signin/v1/identifier') return page
  response = await browse(page)
  assert.equal(response.status, 200)
  const html = await response.text()
  const fields = new URLSearchParams(person)
  for (const [, name, value] of html.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)) {
    fields.set(name, unescape(value))
  }
  response = await browse(page, { method: 'POST', body: fields })
  assert.equal(response.status, 303, await response.text())
  return new URL(response.headers.get('location'), url)
}

async function flow(id, authentication, redirect, { leave, prompt } = {}) {
  jar.clear()
  const config = await client.discovery(issuer, id, undefined, authentication)
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  const begin = client.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...(prompt && { prompt }),
  })
  const back = await signIn(begin)
  assert.ok(back.href.startsWith(redirect), back.href)
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, back, checks)
  const sub = tokens.claims().sub
  const info = await client.fetchUserInfo(config, tokens.access_token, sub)
  assert.equal(info.preferred_username, person.username)

  const next = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  await client.fetchUserInfo(config, next.access_token, sub)
  const webdav = await fetch(new URL(`/dav/files/${person.username}/`, issuer), {
    method: 'PROPFIND',
    headers: { authorization: `Bearer ${next.access_token}`, depth: '0' },
  })
  assert.equal(webdav.status, 207)

  if (leave) {
    const url = client.buildEndSessionUrl(config, {
      post_logout_redirect_uri: leave,
      id_token_hint: next.id_token,
      state: 'gone',
    })
    const gone = await browse(url)
    assert.equal(gone.headers.get('location'), `${leave}?state=gone`)
    const silent = await browse(new URL(`${begin.href}&prompt=none`))
    assert.match(silent.headers.get('location'), /error=login_required/)
  }

  // The code and the first refresh token are used up; using them again ends everything.
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), /./)
  await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), /./)
  await assert.rejects(client.authorizationCodeGrant(config, back, checks), /./)
}

await flow('web', client.None(), new URL('/oidc-callback.html', issuer).href, { leave: new URL('/', issuer).href })

// As oCIS's load tests sign in (cdperf, client/auth), without PKCE.
async function scripted() {
  jar.clear()
  const redirect = new URL('/oidc-callback.html', issuer).href
  const hello = { scope: 'openid profile email', client_id: 'web', redirect_uri: redirect, flow: 'oidc' }
  const logon = await browse(new URL('/signin/v1/identifier/_/logon', issuer), {
    method: 'POST',
    headers: { 'Kopano-Konnect-XSRF': '1', Referer: issuer.href, 'Content-Type': 'application/json' },
    body: JSON.stringify({ params: [person.username, person.password, '1'], hello, state: 'x' }),
  })
  assert.equal(logon.status, 200)
  const go = new URL((await logon.json()).hello.continue_uri)
  go.search = new URLSearchParams({
    client_id: 'web', prompt: 'none', redirect_uri: redirect, response_mode: 'query',
    response_type: 'code', scope: 'openid profile email',
  })
  const sent = await browse(go)
  assert.equal(sent.status, 302)
  const code = new URL(sent.headers.get('location')).searchParams.get('code')
  const answer = await fetch(new URL('/konnect/v1/token', issuer), {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'web', code, redirect_uri: redirect, grant_type: 'authorization_code' }),
  })
  assert.equal(answer.status, 200)
  const tokens = await answer.json()
  for (const name of ['access_token', 'token_type', 'id_token', 'expires_in']) assert.ok(tokens[name], name)
}

await scripted()
const desktop = 'xdXOt13JKxym1B1QcEncf2XDkLAexMBFwiT9j6EfhhHFJhs2KM9jbjTmf8JBXE69'
const secret = 'UBntmLjC2yYCeHwsyj73Uwo9TAaecAetRwMw0xYcvNL9yRdLSUi0hUAHfvCHFeFh'
const consent = { prompt: 'select_account consent' }
await flow(desktop, client.ClientSecretBasic(secret), 'http://127.0.0.1:49231/', consent)
await flow(desktop, client.ClientSecretPost(secret), 'http://localhost:49232/cb', consent)

const android = 'e4rAsNUSIUs0lF4nbv9FmCeUkTlV9GdgTLDH1b5uie7syb90SzEVrbN7HIpmWJeD'
const ofAndroid = 'dInFYGV33xKzhbRmpqQltYNdfLdJIfJ9L5ISoKhNoT9qZftpdWSP71VrpGR9pmoD'
const ios = 'mxd5OQDk6es5LzOzRvidJNfXLUZS2oN3oUFeXPP8LpPrhx3UroJFduGEYIBOxkY1'
const ofIos = 'KFeFWWEZO9TkisIQzR3fo7hfiMXlOpaqP8CFuTbSHzV1TUuGECglPxpiVKJfOXIx'
await flow(android, client.ClientSecretBasic(ofAndroid), 'oc://android.owncloud.com')
await flow(ios, client.ClientSecretBasic(ofIos), 'oc://ios.owncloud.com', consent)

// Nobody is sent to an address of somebody else, signed in or not.
for (const [id, redirect] of [
  [android, 'oc://ios.owncloud.com'],
  [ios, 'oc://ios.owncloud.com.example.org'],
  [desktop, 'http://127.0.0.2:49231/'],
  [desktop, 'https://127.0.0.1:49231/'],
  ['web', 'http://127.0.0.1:49231/'],
]) {
  const url = new URL('/signin/v1/identifier/_/authorize', issuer)
  url.search = new URLSearchParams({
    client_id: id, redirect_uri: redirect, response_type: 'code', scope: 'openid', prompt: 'none',
  })
  const refused = await browse(url)
  assert.equal(refused.status, 400, redirect)
  assert.equal(refused.headers.get('location'), null)
}
console.log('ok')
