package receiver

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const tolerance = 300 * time.Second

// Verify says what is wrong with a push, if anything is. body is the raw one: decoded and written
// again it would have another signature.
func Verify(publicKey string, headers http.Header, body []byte) error {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil {
		return errors.New("this is no push")
	}
	if age := time.Since(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return errors.New("too old, or a clock is wrong")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(publicKey, "whpk_"))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return errors.New("the public key is malformed")
	}
	signed := append([]byte(id+"."+timestamp+"."), body...)
	// There are several while a key is being rotated; one that fits is enough.
	for _, each := range strings.Split(headers.Get("webhook-signature"), " ") {
		encoded, isV1a := strings.CutPrefix(each, "v1a,")
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if isV1a && err == nil && ed25519.Verify(key, signed, signature) {
			return nil
		}
	}
	return errors.New("the signature does not match")
}
