// SPDX-License-Identifier: BSD-3-Clause
// Read the subject of a client certificate.

#include "certificate.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

static int print_subject(X509 *certificate, char *subject, size_t size) {
	BIO *out = BIO_new(BIO_s_mem());
	int n = -1;

	if (out == NULL)
		return -EINVAL;
	// RFC 2253, as Java writes it, which is what the broker compares with its ACLs.
	if (X509_NAME_print_ex(
		    out, X509_get_subject_name(certificate), 0,
		    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB
	    )
	    > 0)
		n = BIO_read(out, subject, (int)size - 1);
	BIO_free(out);
	if (n <= 0)
		return -EINVAL;
	subject[n] = '\0';
	return 0;
}

int certificate_subject(const char *path, char *subject, size_t size) {
	FILE *file = fopen(path, "re");
	X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	int rc = -EINVAL;

	if (file != NULL)
		fclose(file);
	if (certificate != NULL)
		rc = print_subject(certificate, subject, size);
	X509_free(certificate);
	return rc;
}
