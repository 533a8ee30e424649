#!/usr/bin/env bash
# Runs what speaks to content behind a network against Azurite, Microsoft's emulator of Azure Blob Storage: the suite of
# content stores, the reference model, and kills of the program behind a network that loses answers.
# Usage: tests/emulators/azurite.sh [--long] [FILTER...], as cargo nextest takes it. --long: 200 kills, 40 sequences.
# Environment: AZURITE, the program azurite-blob; it is installed by npm under ~/.cache/dittofs-emulators otherwise.
# KILLS and MODEL_DISK_SEQUENCES say how much; EMULATOR_PORT where.
set -euo pipefail
# shellcheck source=tests/emulators/suites.sh
. "$(dirname "$0")/suites.sh"
prepare "$@"
azurite=${AZURITE:-$kept/node_modules/.bin/azurite-blob}
if [ ! -x "$azurite" ]; then
  need_package npm npm
  npm install --silent --no-audit --no-fund --prefix "$kept" azurite@3.35.0 </dev/null
fi

account=$(constant ACCOUNT bucket) key=$(constant ACCOUNT_KEY bucket) container=$(constant BUCKET s3)
AZURITE_ACCOUNTS="$account:$key" "$azurite" --silent --disableTelemetry --skipApiVersionCheck \
  --blobHost 127.0.0.1 --blobPort "$port" --location "$work/data" >"$work/log" 2>&1 &
emulator=$!
wait_for_emulator

# Makes the container: a request that is signed with the account's key.
node - "$port" "$account" "$key" "$container" <<'JS'
const [port, account, key, container] = process.argv.slice(2);
const date = new Date().toUTCString(), version = '2021-12-02';
const signed = ['PUT', '', '', '', '', '', '', '', '', '', '', '', `x-ms-date:${date}`, `x-ms-version:${version}`,
  `/${account}/${account}/${container}`, 'restype:container'].join('\n');
const signature = require('crypto').createHmac('sha256', Buffer.from(key, 'base64')).update(signed, 'utf8').digest('base64');
const headers = { 'x-ms-date': date, 'x-ms-version': version, Authorization: `SharedKey ${account}:${signature}`, 'Content-Length': 0 };
const path = `/${account}/${container}?restype=container`;
require('http').request({ host: '127.0.0.1', port, path, method: 'PUT', headers }, answer => {
  if (answer.statusCode !== 201) { console.error('the container was not made:', answer.statusCode); process.exit(1); }
}).end();
JS
"$azurite" --version
# Azurite answers a range behind the end by one that ends before it begins; Azure itself, that there is none.
run_suites azblob a_range_beyond_the_end_is_not_found
