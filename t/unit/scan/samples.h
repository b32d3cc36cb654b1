/*
 * samples - mail with archives in it, made at run time, so that no file of the tree holds a virus
 * or its test string
 */
#ifndef T_SCAN_SAMPLES_H
#define T_SCAN_SAMPLES_H

#include "encode.h"
#include "str.h"

#include <stdint.h>

enum { SAMPLES_MAX = 1048576 };

/* What the signature of the tests finds. */
#define SAMPLES_VIRUS "mail-suite's own pretended virus, 0123456789"

static inline uint32_t samples_crc32(struct slice bytes)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static inline void samples_number(struct str *out, uint64_t number, int size)
{
    for (int i = 0; i < size; i++)
        str_append_byte(out, (char)(i < 8 ? number >> (8 * i) & 255 : 0));
}

/* What a local and a central header of a zip have in common. */
static inline void samples_zip_entry(struct str *out, struct slice content, bool is_encrypted)
{
    samples_number(out, 20, 2);
    samples_number(out, is_encrypted, 2);
    samples_number(out, 0, 2); /* stored */
    samples_number(out, 0x5A215A21, 4);
    samples_number(out, samples_crc32(content), 4);
    samples_number(out, content.size, 4);
    samples_number(out, content.size, 4);
    samples_number(out, 1, 2); /* size of the name */
}

/* A zip with one stored file. */
static inline void samples_zip(struct str *out, struct slice content, bool is_encrypted)
{
    size_t start = out->size;
    str_append(out, SLICE("PK\x03\x04"));
    samples_zip_entry(out, content, is_encrypted);
    samples_number(out, 0, 2);
    str_append_byte(out, 'a');
    str_append(out, content);
    size_t directory = out->size;
    str_append(out, SLICE("PK\x01\x02\x14\x00"));
    samples_zip_entry(out, content, is_encrypted);
    samples_number(out, 0, 16);
    str_append_byte(out, 'a');
    size_t end = out->size;
    str_append(out, SLICE("PK\x05\x06"));
    samples_number(out, 0, 4);
    samples_number(out, 1, 2);
    samples_number(out, 1, 2);
    samples_number(out, end - directory, 4);
    samples_number(out, directory - start, 4);
    samples_number(out, 0, 2);
}

/* `depth` zips around the content. */
static inline void samples_zips(struct str *out, struct slice content, int depth)
{
    struct str inner;
    str_init(&inner, SAMPLES_MAX);
    str_append(&inner, content);
    for (int i = 0; i < depth; i++) {
        struct str zip;
        str_init(&zip, SAMPLES_MAX);
        samples_zip(&zip, str_slice(&inner), false);
        str_free(&inner);
        inner = zip;
    }
    str_append(out, str_slice(&inner));
    str_free(&inner);
}

static inline void samples_tar(struct str *out, struct slice content)
{
    char header[512] = "a";
    unsigned sum = 0;
    struct str text;
    str_init(&text, sizeof header);
    str_format(&text, "%07o%c%07o%c%07o%c%011o%c%011o%c        0", 0644u, 0, 0u, 0, 0u, 0,
               (unsigned)content.size, 0, 0u, 0);
    for (size_t i = 0; i < text.size; i++)
        header[100 + i] = text.data[i];
    const char magic[] = "ustar\00000";
    for (size_t i = 0; i < sizeof magic - 1; i++)
        header[257 + i] = magic[i];
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    str_clear(&text);
    str_format(&text, "%06o%c ", sum, 0);
    for (size_t i = 0; i < text.size; i++)
        header[148 + i] = text.data[i];
    str_free(&text);
    str_append(out, slice_of(header, sizeof header));
    str_append(out, content);
    samples_number(out, 0, 8);
    while (out->size % 512 != 0)
        samples_number(out, 0, 1);
    for (int i = 0; i < 1024; i++)
        samples_number(out, 0, 1);
}

/* One stored block of deflate. */
static inline void samples_gzip(struct str *out, struct slice content)
{
    str_append(out, SLICE("\x1f\x8b\x08\0\0\0\0\0\0\x03\x01"));
    samples_number(out, content.size, 2);
    samples_number(out, ~content.size & 0xFFFF, 2);
    str_append(out, content);
    samples_number(out, samples_crc32(content), 4);
    samples_number(out, content.size, 4);
}

static inline void samples_tar_gzip(struct str *out, struct slice content)
{
    struct str tar;
    str_init(&tar, SAMPLES_MAX);
    samples_tar(&tar, content);
    samples_gzip(out, str_slice(&tar));
    str_free(&tar);
}

/* The head of a RAR archive and bytes that nobody can unpack. */
static inline void samples_rar(struct str *out)
{
    str_append(out, SLICE("Rar!\x1a\x07\x00\xcf\x90s\x00\x00\r\x00\x00\x00\x00\x00\x00\x00"));
    for (int i = 0; i < 200; i++)
        str_append_byte(out, 'x');
}

static inline void samples_mail_begin(struct str *out)
{
    str_append_text(out,
                    "Received: from a.example by b.example; Sat, 21 Nov 2026 00:00:00 +0000\r\n"
                    "From: a@a.example\r\nTo: b@b.example\r\nSubject: sample\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: multipart/mixed; boundary=\"sample\"\r\n\r\n"
                    "--sample\r\nContent-Type: text/plain\r\n\r\nHello.\r\n");
}

static inline void samples_mail_attach(struct str *out, struct slice content)
{
    str_append_text(out, "--sample\r\nContent-Type: application/octet-stream\r\n"
                         "Content-Disposition: attachment; filename=\"a.bin\"\r\n"
                         "Content-Transfer-Encoding: base64\r\n\r\n");
    for (size_t i = 0; i < content.size; i += 57) {
        encode_base64(slice_part(content, i, 57), out);
        str_append_text(out, "\r\n");
    }
}

static inline void samples_mail_end(struct str *out)
{
    str_append_text(out, "--sample--\r\n");
}

#endif
