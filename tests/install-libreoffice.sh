#!/usr/bin/env bash
# Installs what the rendering, referee and add-in tests need: LibreOffice >= 25.2, its type compiler (unoidl-write),
# its Python bridge, PDF tools, Chinese fonts, and Carlito, whose widths are those of Calibri and so of Excel's columns.
# Uses the machine's own Debian mirror; on a release that is too old it adds that mirror's backports suite.
set -euo pipefail

wanted=25.2
packages=(libreoffice-calc libreoffice-writer libreoffice-dev python3-uno poppler-utils
    fonts-noto-cjk fonts-arphic-uming fonts-crosextra-carlito)
sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
export DEBIAN_FRONTEND=noninteractive

new_enough() { dpkg --compare-versions "${1#*:}" ge "$wanted"; }
installed() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null; }

missing=()
for package in "${packages[@]}"; do
    [ -n "$(installed "$package" || true)" ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ] && new_enough "$(installed libreoffice-calc)"; then
    echo "LibreOffice $(installed libreoffice-calc) 已安装。"
    exit 0
fi

"${sudo[@]}" apt-get update -qq
target=()
# Asked of libreoffice-dev, which may be missing where a new enough libreoffice-calc is already installed.
if ! new_enough "$(apt-cache policy libreoffice-dev | awk '/Candidate:/ {print $2}')"; then
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$codename" '$2 == release && $3 == "main" {print $1; exit}')
    if [ -z "$mirror" ]; then
        echo "在本机软件源中找不到 Debian $codename 的镜像地址；请先在 /etc/apt 中配置 Debian 镜像，再运行本脚本。" >&2
        exit 1
    fi
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\nSigned-By: %s\n' "$mirror" "$codename" "$keyring" |
        "${sudo[@]}" tee /etc/apt/sources.list.d/debian-backports-xlcalc.sources >/dev/null
    "${sudo[@]}" apt-get update -qq
    target=(-t "$codename-backports")
fi
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${target[@]}" "${packages[@]}" >/dev/null

version=$(installed libreoffice-calc)
if ! new_enough "$version"; then
    echo "安装到的 LibreOffice 版本是 $version，低于 $wanted；请更换带有 backports 的 Debian 镜像后重试。" >&2
    exit 1
fi
echo "LibreOffice $version 已安装。"
