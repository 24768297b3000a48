# SPDX-License-Identifier: Apache-2.0
# cmake -D INPUT=style.css -D OUTPUT=style.c -P embed.cmake: a file as octets of a C program.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," octets "${hex}")
string(REGEX REPLACE "((0x..,){16})" "\\1\n" octets "${octets}")
file(WRITE ${OUTPUT} "#include \"server/web/style.h\"\n"
    "const uint8_t style_css[] = {\n${octets}\n};\nconst size_t style_css_len = sizeof style_css;\n")
