#include "cnetwork.h"

#include <openssl/evp.h>

void *cnetwork_sha256_create(void) {
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(hash);
        return NULL;
    }
    return hash;
}

bool cnetwork_sha256_update(void *hash, const void *bytes, size_t byte_count) {
    return EVP_DigestUpdate(hash, bytes, byte_count) == 1;
}

bool cnetwork_sha256_finish(void *hash, uint8_t digest[CNETWORK_SHA256_SIZE]) {
    unsigned int written = 0;
    return EVP_DigestFinal_ex(hash, digest, &written) == 1 && written == CNETWORK_SHA256_SIZE;
}

void cnetwork_sha256_destroy(void *hash) { EVP_MD_CTX_free(hash); }
