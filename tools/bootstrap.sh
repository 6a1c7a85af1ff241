#!/bin/sh
# Sets up what a make target needs; says nothing and returns at once when it is there already.
#
#   tools/bootstrap.sh local       .venv with what `make run` needs
#   tools/bootstrap.sh dev         .venv with what `make test` and `make check` need, `make run`'s included
#   tools/bootstrap.sh sam         .tools/sam with the SAM CLI
#   tools/bootstrap.sh ministack   .tools/ministack with the tests' second AWS engine
#   tools/bootstrap.sh checkov     .tools/checkov with the policy scanner of `make check`
#   tools/bootstrap.sh awscli      .tools/awscli with the AWS command line, for `make rehearse`
#   tools/bootstrap.sh node        .tools/node with Node.js, for the example in TypeScript
#   tools/bootstrap.sh docs        .tools/docs with MkDocs, which makes the documentation's site
#   tools/bootstrap.sh uv          .tools/uv with uv, which installs the others
set -eu
unset CDPATH
cd -- "$(dirname -- "$0")/.."

case "${1-}" in
    local | dev) home=.venv program=python ;;
    sam | ministack | checkov | awscli | node | docs) home=.tools/$1 program=python ;;
    uv) home=.tools/uv program=uv ;;
    *)
        echo "usage: tools/bootstrap.sh local|dev|sam|ministack|checkov|awscli|node|docs|uv" >&2
        exit 2
        ;;
esac

# An environment keeps copies of what it was made from, once it is complete.
same() {
    [ -f "$home/.made-from/$1" ] && [ "$(cat "$home/.made-from/$1")" = "$(cat "$2")" ]
}
if [ -x "$home/bin/$program" ] && same "$1.txt" "requirements/$1.txt" && same .python-version .python-version; then
    exit 0
fi

for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
    # On the PATH is not enough: pyenv's shims and macOS have names there that run nothing.
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
        exec "$python" -I tools/bootstrap.py "$1"
    fi
done
echo "brokerlink: needs a Python of version 3.10 or newer on the PATH to set itself up; none was found." >&2
exit 1
