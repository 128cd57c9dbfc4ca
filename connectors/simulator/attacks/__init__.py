"""The attacks that are hidden among the normal work, with what they are and when they begin.

They use what attackers use, not what our rules look for: some of them no rule of one event can see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from random import Random

from connectors.simulator.attacks import domain, hotline, ssh, web
from connectors.simulator.stream import Line
from connectors.simulator.world import World


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: `day` counts from the first simulated day, `clock` is local time."""

    id: str
    name: str
    vi: str
    techniques: tuple[str, ...]  # ATT&CK v19
    day: int
    clock: time
    play: Callable[[World, Random, datetime], Iterator[Line]]

    def lines(self, world: World) -> Iterator[Line]:
        """Yield the attack's lines, each with the attack's id."""
        random = world.random(f"attack/{self.id}")
        moment = self.play(world, random, world.moment(self.day, self.clock))
        return (replace(line, attack=self.id) for line in moment)


ATTACKS = (
    Attack("secrets-probing", "Probing for forgotten files on the portal", "Dò tìm tệp bị bỏ quên trên cổng",
           ("T1595.003",), 0, time(2, 11), web.secrets_probing),
    Attack("ssh-brute-force", "SSH password guessing that succeeds", "Dò mật khẩu SSH thành công",
           ("T1110.001", "T1078.003"), 0, time(3, 4), ssh.brute_force),
    Attack("sql-injection", "SQL injection against the portal's search", "Tấn công SQL injection vào trang tìm kiếm",
           ("T1595.002", "T1190"), 0, time(10, 22), web.sql_injection),
    Attack("password-spray", "One password tried on many domain accounts", "Thử một mật khẩu trên nhiều tài khoản miền",
           ("T1110.003", "T1078.002"), 0, time(12, 17), domain.password_spray),
    Attack("kerberoasting", "Tickets of all service accounts asked for with RC4", "Kerberoasting các tài khoản dịch vụ",
           ("T1558.003",), 0, time(15, 41), domain.kerberoasting),
    Attack("service-shell", "A service installed that runs hidden PowerShell", "Cài dịch vụ chạy PowerShell ẩn",
           ("T1543.003", "T1569.002", "T1059.001", "T1027.010"), 0, time(22, 48), domain.service_shell),
    Attack("domain-admin", "A new account made domain administrator", "Tài khoản mới thành quản trị miền",
           ("T1136.002", "T1098.007"), 0, time(23, 31), domain.new_administrator),
    Attack("log-cleared", "The security log of a controller cleared", "Xóa nhật ký bảo mật của máy chủ miền",
           ("T1685.005",), 0, time(23, 52), domain.log_cleared),
    Attack("web-shell", "A web shell uploaded to the portal and used", "Tải webshell lên cổng và sử dụng",
           ("T1190", "T1505.003", "T1059.004"), 1, time(1, 37), web.web_shell),
    Attack("hotline-takeover", "A hotline account taken over, complaints exported at night",
           "Chiếm tài khoản 1022, xuất phản ánh ban đêm",
           ("T1078", "T1213"), 1, time(2, 26), hotline.takeover),
    Attack("reporter-browsing", "An agent opens the reporters of complaints one by one",
           "Nhân viên 1022 mở thông tin người phản ánh",
           ("T1213",), 1, time(9, 5), hotline.reporter_browsing),
    Attack("sudo-shell", "An account that never does takes a root shell", "Tài khoản thường lấy quyền root",
           ("T1548.003", "T1136.001"), 1, time(14, 12), ssh.root_shell),
)  # fmt: skip
