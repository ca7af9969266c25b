// An OpenID provider that we did not write (npm: oidc-provider), and a person with a browser.
//
//   node provider.mjs PORT BACKCHANNEL_URI jwt|opaque
//
// Everybody is known whose name stands in PEOPLE. Beside the provider's own addresses it answers
//   GET /test/sign-in?name=ada      signs in through the pages of the provider, as a browser does,
//                                   and answers with the tokens
//   GET /test/sign-out?name=ada     ends that session at the provider, which tells the client
//   PUT /test/people                replaces what is known of people
import { createServer } from 'node:http';
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const tools = process.env.OCIS_CONFORMANCE_NODE ?? '';
const require = createRequire(join(tools, 'node_modules', 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: Provider } = await load('oidc-provider');
const { exportJWK, generateKeyPair } = await load('jose');

const [port, backchannel, format] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const resource = 'urn:ocis';
const redirect = 'http://127.0.0.1:1/back';

let people = {
  ada: { name: 'Ada Lovelace', email: 'ada@example.org', groups: ['analysts', 'poets'], roles: ['ocisUser'] },
  grace: { name: 'Grace Hopper', email: 'grace@example.org', groups: ['analysts'], roles: ['ocisSpaceAdmin'] },
  norole: { name: 'No Role', email: 'norole@example.org', groups: [], roles: ['other'] },
};
const claimsOf = (id) => ({ sub: id, preferred_username: id, ...people[id] });

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'rs' };

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['of a test'] },
  clients: [{
    client_id: 'test',
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
    backchannel_logout_uri: backchannel,
    backchannel_logout_session_required: true,
    post_logout_redirect_uris: [redirect],
  }],
  claims: {
    openid: ['sub'],
    profile: ['preferred_username', 'name', 'groups', 'roles'],
    email: ['email'],
  },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: format === 'jwt',
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'openid profile email', audience: 'ocis', accessTokenFormat: 'jwt', accessTokenTTL: 300,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  // By itself it tells nobody on this machine, as a provider on the internet must not.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  extraTokenClaims: (ctx, token) => (format === 'jwt'
    ? { ...claimsOf(token.accountId), sid: ctx.oidc.entities.AuthorizationCode?.sid }
    : undefined),
  findAccount: (_, id) => (people[id] ? { accountId: id, claims: () => claimsOf(id) } : undefined),
});
provider.on('server_error', (_, error) => console.error(error));
for (const event of ['backchannel.success', 'backchannel.error']) {
  provider.on(event, (_, error) => console.error(event, error?.message ?? '', error?.cause ?? ''));
}

// --- the person with a browser

const browsers = new Map();

async function visit(jar, url, options = {}) {
  for (let hops = 0; hops < 20; hops += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { ...options, redirect: 'manual', headers: { cookie, ...options.headers } });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=');
      if (value) jar.set(name, value); else jar.delete(name);
    }
    const next = answer.headers.get('location');
    if (!next) return { url, page: await answer.text(), status: answer.status };
    url = new URL(next, url).href;
    options = {};
    if (url.startsWith(redirect)) return { url, page: '', status: 302 };
  }
  throw new Error('redirected for ever');
}

const form = (fields) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
});

async function signIn(name) {
  const jar = new Map();
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: 'test', response_type: 'code', scope: 'openid profile email', redirect_uri: redirect,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  });
  let at = await visit(jar, `${issuer}/auth?${query}`);
  for (let steps = 0; !at.url.startsWith(redirect); steps += 1) {
    const action = /action="([^"]+)"/.exec(at.page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(at.page)?.[1];
    if (!action || steps > 5) throw new Error(`${at.status} ${at.url} ${at.page}`);
    at = await visit(jar, new URL(action, at.url).href, form({ prompt, login: name, password: 'any' }));
  }
  const code = new URL(at.url).searchParams.get('code');
  if (!code) throw new Error(at.url);
  const answer = await fetch(`${issuer}/token`, form({
    grant_type: 'authorization_code', client_id: 'test', code, redirect_uri: redirect, code_verifier: verifier,
  }));
  const tokens = await answer.json();
  if (!tokens.access_token) throw new Error(JSON.stringify(tokens));
  browsers.set(name, { jar, tokens });
  return tokens;
}

async function signOut(name) {
  const { jar, tokens } = browsers.get(name);
  const query = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: redirect });
  const at = await visit(jar, `${issuer}/session/end?${query}`);
  const action = /action="([^"]+)"/.exec(at.page)?.[1];
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(at.page)?.[1];
  const end = await visit(jar, new URL(action, at.url).href, form({ xsrf, logout: 'yes' }));
  return { ended: end.url };
}

const answer = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (!url.pathname.startsWith('/test/')) return answer(request, response);
  try {
    const name = url.searchParams.get('name');
    let result;
    if (url.pathname === '/test/sign-in') result = await signIn(name);
    else if (url.pathname === '/test/sign-out') result = await signOut(name);
    else {
      let body = '';
      for await (const part of request) body += part;
      people = JSON.parse(body);
      result = {};
    }
    response.end(JSON.stringify(result));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error?.stack ?? error));
  }
  return undefined;
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
