# SPDX-License-Identifier: Apache-2.0
# What is installed where, and the Debian package: `cpack -G DEB` in the build folder. The units name
# the programs by their place below /usr, so that is the prefix unless somebody chooses another.
if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
    set(CMAKE_INSTALL_PREFIX /usr CACHE PATH "Where everything is installed" FORCE)
endif()
include(GNUInstallDirs)
set(SYSTEMD ${CMAKE_SOURCE_DIR}/systemd)
set(DOC ${CMAKE_INSTALL_DATADIR}/doc/scepd)
set(PACKED ${CMAKE_BINARY_DIR}/package) # files that are made for the package

install(TARGETS scepd scepd-ca DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS scepctl DESTINATION ${CMAKE_INSTALL_BINDIR})

install(FILES ${SYSTEMD}/scepd.socket ${SYSTEMD}/scepd-web.socket ${SYSTEMD}/scepd.service
              ${SYSTEMD}/scepd-ca.socket ${SYSTEMD}/scepd-ca.service
        DESTINATION lib/systemd/system)
install(FILES ${SYSTEMD}/sysusers.conf DESTINATION lib/sysusers.d RENAME scepd.conf)
install(FILES ${SYSTEMD}/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME scepd.conf)

install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${DOC})
install(FILES ${SYSTEMD}/debian/copyright DESTINATION ${DOC})
install(FILES ${CMAKE_SOURCE_DIR}/conf/scepd.conf ${CMAKE_SOURCE_DIR}/conf/mic-cisco.conf
        DESTINATION ${DOC}/examples)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/server/guides DESTINATION ${DOC} OPTIONAL
        FILES_MATCHING PATTERN "*.md")

# Debian wants manuals and the change log compressed, and without a time in them.
function(scepd_install_gz FILE NAME DESTINATION)
    add_custom_command(OUTPUT ${PACKED}/${NAME}.gz
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PACKED}
        COMMAND gzip -9nc ${FILE} > ${PACKED}/${NAME}.gz
        DEPENDS ${FILE} VERBATIM)
    set_property(GLOBAL APPEND PROPERTY SCEPD_PACKED ${PACKED}/${NAME}.gz)
    install(FILES ${PACKED}/${NAME}.gz DESTINATION ${DESTINATION})
endfunction()
file(GLOB manuals CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/conf/*.5 ${CMAKE_SOURCE_DIR}/server/*.7
     ${CMAKE_SOURCE_DIR}/server/*.8)
foreach(manual IN LISTS manuals)
    get_filename_component(name ${manual} NAME)
    string(REGEX MATCH "[0-9]$" section ${manual})
    scepd_install_gz(${manual} ${name} ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
scepd_install_gz(${SYSTEMD}/debian/changelog changelog ${DOC})
# scepd(8) is about scepd-ca, too.
file(MAKE_DIRECTORY ${PACKED})
file(CREATE_LINK scepd.8.gz ${PACKED}/scepd-ca.8.gz SYMBOLIC)
install(FILES ${PACKED}/scepd-ca.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)

# scepctl itself writes the scripts by which shells complete its command lines, so it must run here.
function(scepd_install_completion SHELL NAME DESTINATION)
    add_custom_command(OUTPUT ${PACKED}/completion/${NAME}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PACKED}/completion
        COMMAND scepctl completion ${SHELL} > ${PACKED}/completion/${NAME}
        DEPENDS scepctl VERBATIM)
    set_property(GLOBAL APPEND PROPERTY SCEPD_PACKED ${PACKED}/completion/${NAME})
    install(FILES ${PACKED}/completion/${NAME} DESTINATION ${CMAKE_INSTALL_DATADIR}/${DESTINATION})
endfunction()
if(NOT CMAKE_CROSSCOMPILING AND NOT SCEPD_SANITIZE)
    scepd_install_completion(bash scepctl bash-completion/completions)
    scepd_install_completion(zsh _scepctl zsh/vendor-completions)
    scepd_install_completion(fish scepctl.fish fish/vendor_completions.d)
endif()

get_property(packed GLOBAL PROPERTY SCEPD_PACKED)
add_custom_target(package-files ALL DEPENDS ${packed})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME scepd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The scepd authors <scepd@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Beside the libraries: systemd also brings systemd-sysusers and systemd-tmpfiles for the maintainer's
# scripts, procps the kill(1) of ExecReload=.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd (>= 252), procps")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "SCEP (RFC 8894) enrollment server for Cisco IP phones")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Gives IP phones the certificates by which a network knows them: a
registration authority that speaks SCEP over HTTP, a signing CA as a process
of its own, and a database of all certificates.

A phone proves who it is by the certificate that its manufacturer built into
it, by a challenge password or by the certificate that it has already.
Certificates are renewed, revoked, and replaced along with their CA.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${SYSTEMD}/debian/postinst ${SYSTEMD}/debian/prerm ${SYSTEMD}/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
