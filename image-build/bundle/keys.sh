#!/bin/bash
# The keys that updates are signed and checked with. Usage: keys.sh [FOLDER]   (default: build/keys)
# Leaves there: ca.pem (what boxes trust), signer.pem, signer.key.
#
# A release gives its own by environment, as paths (the key also as a PKCS#11 URI), and nothing is made:
#   CARELINE_UPDATE_CA  CARELINE_UPDATE_CERT  CARELINE_UPDATE_KEY
# Otherwise a development CA is made once. Boxes built with it take only updates of this checkout.
set -euo pipefail

folder=${1:-$(dirname "$0")/../../build/keys}
mkdir -p -m 700 "$folder"
cd "$folder"

if [ -n "${CARELINE_UPDATE_CA:-}" ]; then
    install -m 644 "$CARELINE_UPDATE_CA" ca.pem
    exit
fi
[ ! -e signer.pem ] || exit 0

umask 077
days=9125 # a hospital keeps its box for long, and no update comes when the certificate is over
openssl req -x509 -newkey rsa:3072 -nodes -days $days -keyout ca.key -out ca.pem.part -subj '/O=Careline/CN=Careline development updates' \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
openssl req -new -newkey rsa:3072 -nodes -keyout signer.key -out signer.csr -subj '/O=Careline/CN=Careline development signer' 2>/dev/null
openssl x509 -req -in signer.csr -CA ca.pem.part -CAkey ca.key -CAcreateserial -days $days -out signer.pem.part \
    -extfile <(printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature subjectKeyIdentifier=hash authorityKeyIdentifier=keyid) 2>/dev/null
chmod 644 ca.pem.part signer.pem.part
rm -f signer.csr ca.pem.part.srl ca.pem.srl
mv ca.pem.part ca.pem
mv signer.pem.part signer.pem # last: what tells that all is made
echo 'bundle: a development CA was made; give CARELINE_UPDATE_CA, _CERT and _KEY for a release' >&2
