/*
 * samples - keys and certificates made for the tests, and used for nothing else
 */
#ifndef T_UNIT_TCPD_SAMPLES_H
#define T_UNIT_TCPD_SAMPLES_H

/* P-256, "EC PARAMETERS" in front, as openssl ecparam writes it */
#define SAMPLE_EC_SEC1                                                                             \
    "-----BEGIN EC PARAMETERS-----\n"                                                              \
    "BggqhkjOPQMBBw==\n"                                                                           \
    "-----END EC PARAMETERS-----\n"                                                                \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MHcCAQEEILv/oIvgMJHyztXGLwx3JJchc4msWOwCk+ozTHy+orESoAoGCCqGSM49\n"                           \
    "AwEHoUQDQgAEB1yT23rcuZZdtvd5q9fmaYws40c7EIR0KYfwr8k8NwFZxtsgSZC+\n"                           \
    "CzkWgBtacsbuytrs9mwiBIqmmOtd6ifExg==\n"                                                       \
    "-----END EC PRIVATE KEY-----\n"
/* the same key */
#define SAMPLE_EC_PKCS8                                                                            \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgu/+gi+AwkfLO1cYv\n"                           \
    "DHcklyFziaxY7AKT6jNMfL6isRKhRANCAAQHXJPbety5ll2293mr1+ZpjCzjRzsQ\n"                           \
    "hHQph/CvyTw3AVnG2yBJkL4LORaAG1pyxu7K2uz2bCIEiqaY613qJ8TG\n"                                   \
    "-----END PRIVATE KEY-----\n"
/* of that key */
#define SAMPLE_EC_CERTIFICATE                                                                      \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBhjCCAS2gAwIBAgIUai/WTG6LZohDtGSbL6epbIWFyvQwCgYIKoZIzj0EAwIw\n"                           \
    "GDEWMBQGA1UEAwwNZWMuZXhhbXBsZS5qcDAgFw0yNjExMjIwMDE3MzlaGA8yMTI2\n"                           \
    "MTAyOTAwMTczOVowGDEWMBQGA1UEAwwNZWMuZXhhbXBsZS5qcDBZMBMGByqGSM49\n"                           \
    "AgEGCCqGSM49AwEHA0IABAdck9t63LmWXbb3eavX5mmMLONHOxCEdCmH8K/JPDcB\n"                           \
    "WcbbIEmQvgs5FoAbWnLG7sra7PZsIgSKppjrXeonxMajUzBRMB0GA1UdDgQWBBTV\n"                           \
    "geK5896AaBdHZ6yRJ05GyW1cAzAfBgNVHSMEGDAWgBTVgeK5896AaBdHZ6yRJ05G\n"                           \
    "yW1cAzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIBR7YDQyCsbl\n"                           \
    "YepKeloR4yNMDxCJwSI5D44MHZMhxK0VAiBsxFVXLbjUUnvlTLzMZofBeRVBAqIV\n"                           \
    "ZdmEYvTqcbe9ZQ==\n"                                                                           \
    "-----END CERTIFICATE-----\n"
/* 2048 bits */
#define SAMPLE_RSA_PKCS1                                                                           \
    "-----BEGIN RSA PRIVATE KEY-----\n"                                                            \
    "MIIEpAIBAAKCAQEAs3RdlufjwW7fB0yS7hr6BUhvgvKJZRO+oNNGi5k4FiAlrXE9\n"                           \
    "h2CjTAObrVaPXyYd66khbGT5wl0rwausNvq3TCMCB4jDK9wizT0N15IOumTbP6jH\n"                           \
    "AB3qqy29DfsFKODn+kePUO+zlwac2xUW6ejQta4hMRBhJPYBt8TeDwgbwXwghoU7\n"                           \
    "QKiQcT9Sxw9TN3g1rbdJhbbkNNhhtV11qj0SVCCALvdf1sEvN86AshdZHyFqIt4r\n"                           \
    "KFGhnnBbzc1UOq189roFEE3dyUs2yzMnBY0vQhz0G1a03JmxDKkFMLBwtBMpMfoX\n"                           \
    "+I9ZaNhr/XRSsLZ1tzbm3oHJp9MsQ9fgOzgxlQIDAQABAoIBACHdxAvGl2TZ1505\n"                           \
    "BkGJNcXpdaHww50frMoNFTMjJ0KFrpac2E/EHQ0rYSXFQClkuCDROk2KgNf9XVSf\n"                           \
    "YVC+3/iuYqOpW6vbT3YMH6CfH8htYDMTVvreqnrDlvocdUzRpPXGq3VKx0mpJdDy\n"                           \
    "mfBqz3h59CmePbcL9icIMCAGF7bbtPCAewD14+l6DNEtAkILZ3DTue8oOlkhKhCa\n"                           \
    "KQmJsONYAkOLlWzXTHVXTwwF6VZAmXu/GSkAGIHP3EMYG0RSded/Pg6LQBfDrEtg\n"                           \
    "gZlJ3R1tyieiEINEhpf+wD1zEteCk+l+DHpIjRks+0tyNqygNvNJS5qD6nTUyXPt\n"                           \
    "ONRSVAECgYEA5ZMdL1Rwygelw7o9od1jBhhXHPQkvrwUd6S86o+K6xk0mdVw8y+A\n"                           \
    "WTbHoj1rm2N+UnsVpNS66MQihOnlpumbhXTtWHJd/YY97hx6eYMe7ukEy4Vkz0qo\n"                           \
    "LE9QOWLY+JZ2CrXF2Huli0u+WuAC6hTE3HlFw+HNZ3Ck/GG/nqYVOUUCgYEAyBxc\n"                           \
    "N5u5KhwlhDhUxJRrGHqmffqCYmFYNzFTgr+Q0dkKQIWdwJkUmM5HW5JfymWoEMa8\n"                           \
    "gDKcUiX4b4B2Hf2pGmfcdLGdcOyJZDCb7Y4dpIs1JSllo+L6QZUp7f50xbknpVsL\n"                           \
    "uIa+mWu2nwP+cjzA125J6kbl9RPClwe19rReFBECgYA6LlNqKEtBWDjRZsSx3ep3\n"                           \
    "o/mH0/PwBrhlLfHWvDQnqsai6e3rI7GyamijnE9GHSvpeVod4O/Rh8t7xc82wuNw\n"                           \
    "KhbwoGNjmf7d9oevfeR8Bb/6WD8ZLcF7IUqikIOOVItr4W9XktZ8e+CtJTJ34nWV\n"                           \
    "roJYx0QIIAsgDyHB8jNUxQKBgQCL173eIpYgxnC1WMRsaCf7gGLvcOxDIjIKyA7L\n"                           \
    "NWJYM+vFMVsP6CqLqsQVS1Jj1+y+ZJQApt21TtGx4j0pMkZFrMVUS3dyHerZuFqP\n"                           \
    "hZxTi/EE2kwsXody43Hc3tDuCDmbhefH+WojPzHtKFZdsPU2190RuqAjR77Z2sqf\n"                           \
    "8GY6cQKBgQDBxtn0MaX2Du35W5Z5q2n/TdfZyXki2F+6heGevFHDavItJkNrM0Oh\n"                           \
    "CY8zbTwS77nEpzam0NSea5MZMrBumyA62zWN0L00yFsAwcVlf8bzCq2jvDykDGsv\n"                           \
    "6OHiAJBv2s/+O5xhdUMunf8Mz0qZjc5q/TP4AIbCxslOvHTzqTbOJA==\n"                                   \
    "-----END RSA PRIVATE KEY-----\n"
/* the same key */
#define SAMPLE_RSA_PKCS8                                                                           \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCzdF2W5+PBbt8H\n"                           \
    "TJLuGvoFSG+C8ollE76g00aLmTgWICWtcT2HYKNMA5utVo9fJh3rqSFsZPnCXSvB\n"                           \
    "q6w2+rdMIwIHiMMr3CLNPQ3Xkg66ZNs/qMcAHeqrLb0N+wUo4Of6R49Q77OXBpzb\n"                           \
    "FRbp6NC1riExEGEk9gG3xN4PCBvBfCCGhTtAqJBxP1LHD1M3eDWtt0mFtuQ02GG1\n"                           \
    "XXWqPRJUIIAu91/WwS83zoCyF1kfIWoi3isoUaGecFvNzVQ6rXz2ugUQTd3JSzbL\n"                           \
    "MycFjS9CHPQbVrTcmbEMqQUwsHC0Eykx+hf4j1lo2Gv9dFKwtnW3Nubegcmn0yxD\n"                           \
    "1+A7ODGVAgMBAAECggEAId3EC8aXZNnXnTkGQYk1xel1ofDDnR+syg0VMyMnQoWu\n"                           \
    "lpzYT8QdDSthJcVAKWS4INE6TYqA1/1dVJ9hUL7f+K5io6lbq9tPdgwfoJ8fyG1g\n"                           \
    "MxNW+t6qesOW+hx1TNGk9cardUrHSakl0PKZ8GrPeHn0KZ49twv2JwgwIAYXttu0\n"                           \
    "8IB7APXj6XoM0S0CQgtncNO57yg6WSEqEJopCYmw41gCQ4uVbNdMdVdPDAXpVkCZ\n"                           \
    "e78ZKQAYgc/cQxgbRFJ1538+DotAF8OsS2CBmUndHW3KJ6IQg0SGl/7APXMS14KT\n"                           \
    "6X4MekiNGSz7S3I2rKA280lLmoPqdNTJc+041FJUAQKBgQDlkx0vVHDKB6XDuj2h\n"                           \
    "3WMGGFcc9CS+vBR3pLzqj4rrGTSZ1XDzL4BZNseiPWubY35SexWk1LroxCKE6eWm\n"                           \
    "6ZuFdO1Ycl39hj3uHHp5gx7u6QTLhWTPSqgsT1A5Ytj4lnYKtcXYe6WLS75a4ALq\n"                           \
    "FMTceUXD4c1ncKT8Yb+ephU5RQKBgQDIHFw3m7kqHCWEOFTElGsYeqZ9+oJiYVg3\n"                           \
    "MVOCv5DR2QpAhZ3AmRSYzkdbkl/KZagQxryAMpxSJfhvgHYd/akaZ9x0sZ1w7Ilk\n"                           \
    "MJvtjh2kizUlKWWj4vpBlSnt/nTFuSelWwu4hr6Za7afA/5yPMDXbknqRuX1E8KX\n"                           \
    "B7X2tF4UEQKBgDouU2ooS0FYONFmxLHd6nej+YfT8/AGuGUt8da8NCeqxqLp7esj\n"                           \
    "sbJqaKOcT0YdK+l5Wh3g79GHy3vFzzbC43AqFvCgY2OZ/t32h6995HwFv/pYPxkt\n"                           \
    "wXshSqKQg45Ui2vhb1eS1nx74K0lMnfidZWugljHRAggCyAPIcHyM1TFAoGBAIvX\n"                           \
    "vd4iliDGcLVYxGxoJ/uAYu9w7EMiMgrIDss1Ylgz68UxWw/oKouqxBVLUmPX7L5k\n"                           \
    "lACm3bVO0bHiPSkyRkWsxVRLd3Id6tm4Wo+FnFOL8QTaTCxeh3Ljcdze0O4IOZuF\n"                           \
    "58f5aiM/Me0oVl2w9TbX3RG6oCNHvtnayp/wZjpxAoGBAMHG2fQxpfYO7flblnmr\n"                           \
    "af9N19nJeSLYX7qF4Z68UcNq8i0mQ2szQ6EJjzNtPBLvucSnNqbQ1J5rkxkysG6b\n"                           \
    "IDrbNY3QvTTIWwDBxWV/xvMKraO8PKQMay/o4eIAkG/az/47nGF1Qy6d/wzPSpmN\n"                           \
    "zmr9M/gAhsLGyU68dPOpNs4k\n"                                                                   \
    "-----END PRIVATE KEY-----\n"
/* of that key */
#define SAMPLE_RSA_CERTIFICATE                                                                     \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIDFTCCAf2gAwIBAgIUegWxQwylDYRdaDHSYmHhH4DQTs0wDQYJKoZIhvcNAQEL\n"                           \
    "BQAwGTEXMBUGA1UEAwwOcnNhLmV4YW1wbGUuanAwIBcNMjYxMTIyMDAxNzM5WhgP\n"                           \
    "MjEyNjEwMjkwMDE3MzlaMBkxFzAVBgNVBAMMDnJzYS5leGFtcGxlLmpwMIIBIjAN\n"                           \
    "BgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs3RdlufjwW7fB0yS7hr6BUhvgvKJ\n"                           \
    "ZRO+oNNGi5k4FiAlrXE9h2CjTAObrVaPXyYd66khbGT5wl0rwausNvq3TCMCB4jD\n"                           \
    "K9wizT0N15IOumTbP6jHAB3qqy29DfsFKODn+kePUO+zlwac2xUW6ejQta4hMRBh\n"                           \
    "JPYBt8TeDwgbwXwghoU7QKiQcT9Sxw9TN3g1rbdJhbbkNNhhtV11qj0SVCCALvdf\n"                           \
    "1sEvN86AshdZHyFqIt4rKFGhnnBbzc1UOq189roFEE3dyUs2yzMnBY0vQhz0G1a0\n"                           \
    "3JmxDKkFMLBwtBMpMfoX+I9ZaNhr/XRSsLZ1tzbm3oHJp9MsQ9fgOzgxlQIDAQAB\n"                           \
    "o1MwUTAdBgNVHQ4EFgQUBFJFvi8NY5iK/dJ6ayNvvr3V4TswHwYDVR0jBBgwFoAU\n"                           \
    "BFJFvi8NY5iK/dJ6ayNvvr3V4TswDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0B\n"                           \
    "AQsFAAOCAQEAcwoPSVTmWg3bNeHP9J2Q26AafkQHUoPKRCHWy6CHkl3VgQCMvTSQ\n"                           \
    "9vsKHRCOF7f0dMm8Hbrk1gDxg4AI8wBo490pYtKUhRa51N9Da9B6e0M0bI0b6QzN\n"                           \
    "Per7HFcIVeQvfBhaBGyWF0CK+bjhHxUin44ok6hib0Jnj8fh4PONXqN5mwpBaNHe\n"                           \
    "HjYd1FzzveBKij8yLQSYVhwwc0ZcVZT2XSKHX8LmG0qnVoBICsD5RlBVhYN2lOu3\n"                           \
    "1FcqFuho6Qotjx6pGkq7Wu7+WZrCLbi2AABYpbTQNnj9gUgLQHZYO3HTgVK7OrzT\n"                           \
    "m6S9TSA9t5mY13kZB+HH3P16uKsYX+kg8A==\n"                                                       \
    "-----END CERTIFICATE-----\n"
/* 1024 bits */
#define SAMPLE_RSA_SHORT                                                                           \
    "-----BEGIN RSA PRIVATE KEY-----\n"                                                            \
    "MIICXQIBAAKBgQC2Wd/XitmYbvw4Gd0q93WBvZGEXSL5whpNsQHe8UC7L/E1KUtk\n"                           \
    "YDKqmOlNcSFIYuw+Y0PWwA748Uf2yUlYk9CESZQHUcn9Ut16sEhobttCkwFcy7tg\n"                           \
    "mQYSA933gBHL27pnf/ukA2KjVba4IfdP3hGfgb0IrEXvD9Pk4DfOjNrGhwIDAQAB\n"                           \
    "AoGAEdw9q2vjIiYEuC34VqQEM1/w58kDivjzAJcMutxgXbU1Z+KSitNNQx5VA4vI\n"                           \
    "GcHup7GrTFZlYQao6MgQUgewTYpfHqbj6f+z1N0G5yH5BbDTcHNFf3XTZG5kiHez\n"                           \
    "vSJ+onDPnuliW3KZ/1HIUo+La759wuGXBp0rCNf/Y93KbVkCQQDbSX0aRCnbo4mK\n"                           \
    "L22UmLLr33TUcQEVPsjPHMKwk9SfVIvsnZepwqzavVgIpvs7C7Ni+BEu+lxgg4Re\n"                           \
    "NLEuxv6rAkEA1OFU0KVB1VqK5eXD+v8igMLbdGazIjGuCQvAJb9rAL6EYG+lp59f\n"                           \
    "DTPD5DSt0T8kE9yP0rmtjqo60YbZXLWnlQJBALtSm7vEXr1xhhy1RzaY+r7jtDmG\n"                           \
    "DxbG+2Nxfh65KfixkJYgSV6LHn39ISbC/foClMsGfidTV3Za4shW2sTK2OECQQCG\n"                           \
    "9G67cvigVC0X/6hVl6b88AsF6RGJDOuiynM+uvIP37e2FzFyaYNtsDJwmsDSlW++\n"                           \
    "s6Xt1k5j0iFFsXJc5sBdAkB2XKVCxcI4SNowRf7D/XT83zH8MU56NAjUsI0nZdb9\n"                           \
    "2d1bpyEN9TCMhsC0w9bb9fWkdb9wK/8X6PaF0v7mTbAj\n"                                               \
    "-----END RSA PRIVATE KEY-----\n"
#define SAMPLE_ED25519                                                                             \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MC4CAQAwBQYDK2VwBCIEIL5LYHuiJUeW14j5ivEUoQHtnAy1acM2PTnC8IO7SahA\n"                           \
    "-----END PRIVATE KEY-----\n"
#define SAMPLE_ENCRYPTED_SEC1                                                                      \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "Proc-Type: 4,ENCRYPTED\n"                                                                     \
    "DEK-Info: AES-128-CBC,45927B4416F22AAC3146455B7B154655\n"                                     \
    "\n"                                                                                           \
    "fjxSr6Ev+hf0CoqPbvklCSDF/8BC4TVyptAAwPv55k6fZnTZ0gQ5rFUzpBstpifu\n"                           \
    "ZqhdtGv4AooREXvT0v8k5byVJ6FA0uNafvJQXV57g9F+nVpQIpeWkVQ3rm4v8xvD\n"                           \
    "LN6DjlqZNnQsV1K2BdU0IJm3En6wNDr5nDKw/omXqcc=\n"                                               \
    "-----END EC PRIVATE KEY-----\n"
#define SAMPLE_ENCRYPTED_PKCS8                                                                     \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                      \
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAilp/M8NniXHQICCAAw\n"                           \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPA1CnVCMDGaoefylOFtvygEgZCx\n"                           \
    "EX/gZngWhW5RpqRld+RPobotV8WuXUse5navdcPhOntfXLsG+aziH7bInykFYPlY\n"                           \
    "VR+S64EQp18aYlQRti495EhvcgltMYyIshdTvKrCtv/6MXW/oGtMcyupHFQu/TN5\n"                           \
    "vDZIqhFQfpvNanY3AVC4QV1me24wOab4OB/LDfyO0eFP++4wZTqOPu9Ml+s8XQA=\n"                           \
    "-----END ENCRYPTED PRIVATE KEY-----\n"
#define SAMPLE_EC_P384                                                                             \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MIGkAgEBBDDSk7N2AVzzKV/NQUzcLDuSqbdbt3Mhs4neCceh7ljOfibsQ1cBVnvq\n"                           \
    "h3kyVWTYscmgBwYFK4EEACKhZANiAAQFKA9K5H9K7SPTWf/OMgSNqecsxhx4/ult\n"                           \
    "fz+PBlZjKRV07Y0kePL9Yo6E7AXVQ6WxDPSqdeAA595HgOjdrtay4nCM5bYjxXs5\n"                           \
    "FLunyNHJkUo5QqjuQJFlB9lerZuhUnY=\n"                                                           \
    "-----END EC PRIVATE KEY-----\n"
#define SAMPLE_EC_P384_CERTIFICATE                                                                 \
    "-----BEGIN CERTIFICATE-----\n"                                                                \
    "MIIBxDCCAUqgAwIBAgIUErw/NF7A/CEh04Ghvl6caJcw5PswCgYIKoZIzj0EAwIw\n"                           \
    "GDEWMBQGA1UEAwwNZWMuZXhhbXBsZS5qcDAgFw0yNjExMjIwMDE3MzlaGA8yMTI2\n"                           \
    "MTAyOTAwMTczOVowGDEWMBQGA1UEAwwNZWMuZXhhbXBsZS5qcDB2MBAGByqGSM49\n"                           \
    "AgEGBSuBBAAiA2IABAUoD0rkf0rtI9NZ/84yBI2p5yzGHHj+6W1/P48GVmMpFXTt\n"                           \
    "jSR48v1ijoTsBdVDpbEM9Kp14ADn3keA6N2u1rLicIzltiPFezkUu6fI0cmRSjlC\n"                           \
    "qO5AkWUH2V6tm6FSdqNTMFEwHQYDVR0OBBYEFBZj298F7NkPkWTih39pEU7V4jnB\n"                           \
    "MB8GA1UdIwQYMBaAFBZj298F7NkPkWTih39pEU7V4jnBMA8GA1UdEwEB/wQFMAMB\n"                           \
    "Af8wCgYIKoZIzj0EAwIDaAAwZQIxAPS9rBBkuxYK50O7l1k8n7SMB06GSp8EGsOJ\n"                           \
    "XdzIHuIo8YqB83eF88KeR9IlVAV6lQIwCA5xMl+VdpZ3B3n1nfKFmVRDJ6sMDzTI\n"                           \
    "eBfTelDCixkj3YyIJOOaDjtGKe/jRVtl\n"                                                           \
    "-----END CERTIFICATE-----\n"
#define SAMPLE_EC_P521                                                                             \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MIHcAgEBBEIA2irLVGc/+oIBQ/Mu50iskxnR7Y5OBWHL5vPZI31+5ud6/Uktq2EE\n"                           \
    "4+nt2F1Tw9Mha1dN45WxO6HfLNKhfSKvJeWgBwYFK4EEACOhgYkDgYYABAB5g8H2\n"                           \
    "PWUzoehFkT4CGuVc/NParv7a+Zz6HXYOV8xcj/bEZrGWYNB7IFRsxkCVlsHctOof\n"                           \
    "IJZWLpJWV7TqoZeapwEDvNHh1kSakBpyrXXq1gpV5V5ZX0T7pd6SZm3DH1CYUDJC\n"                           \
    "NPnLitq/eGGNnWHBLgLETFZfNVpYN+x6YluQojgJ+Q==\n"                                               \
    "-----END EC PRIVATE KEY-----\n"
/* a curve that TLS servers do not use */
#define SAMPLE_EC_SECP256K1                                                                        \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MHQCAQEEIJerg8gL4pRRtbXTjY3KI+fEB5b3wslGyc5Px4fCFt79oAcGBSuBBAAK\n"                           \
    "oUQDQgAENOAXtxeJXsWFSTaoF+k6G/xQXcrBU7U08s+o6oRo5cogL9eTKRKJe4li\n"                           \
    "XzAWwPZX5sG7S6uE2Uh/KRIwBCZpkw==\n"                                                           \
    "-----END EC PRIVATE KEY-----\n"
/* a curve by its numbers */
#define SAMPLE_EC_EXPLICIT                                                                         \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MIIBaAIBAQQg9s12rVTlRSYKBwWLpIiwlDmdzeS/y4eG3+Ko12ltoYuggfowgfcC\n"                           \
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"                           \
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"                           \
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"                           \
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"                           \
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"                           \
    "YyVRAgEBoUQDQgAETSNJwXG7dmdEv603XAz6GMMNNLGef34UyXetNWVpKhsUDGC+\n"                           \
    "3maRP6sUckub7GjJipsu1bWnNDXHfPZrXeaZtw==\n"                                                   \
    "-----END EC PRIVATE KEY-----\n"

#endif
