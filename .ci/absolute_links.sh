#!/usr/bin/env bash
# Makes the relative links of README.md absolute: the URL of the repository, and a commit.
set -euo pipefail
cd "$(dirname "$0")/.."
sed -E -e "s#(!\[[^]]*\]\()([^):]+\))#\1$1/raw/$2/\2#g" -e "s#(\]\()([^):]+\))#\1$1/blob/$2/\2#g" README.md > README.new
mv README.new README.md
